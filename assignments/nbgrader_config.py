"""What nbgrader has to know about this course; `scripts/coursework.py` hands it over."""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "lagrangian-neural-networks"
c.ClearSolutions.code_stub = {"python": "..."}
c.ClearSolutions.text_stub = "*Your answer here.*"
c.Execute.timeout = 60  # seconds for one cell; then it counts as wrong, and the next one runs
c.Execute.startup_timeout = 300  # a busy machine is no mistake of the student's
c.Execute.iopub_timeout = 60
c.LimitOutput.max_lines = 200
# nbgrader takes whatever a test writes to stderr for a failure; a warning is none.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = "."
# What a submission shows is shown to others: no scripts in its page.
c.HTMLExporter.sanitize_html = True
