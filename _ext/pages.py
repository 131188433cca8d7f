"""What every page carries: each script once, and none of Thebe's, whose live code is off here."""


def tidy_scripts(app, pagename, templatename, context, doctree):
    """Leave out what the default extensions of Jupyter Book add twice or for nothing.

    Thebe declares a constant in each of its two scripts, which is an error in the browser.
    """
    kept = {}
    for script in context["script_files"]:
        what = script.attributes.get("body") or script.filename
        if "thebe" not in str(what).lower():
            kept.setdefault(what, script)
    context["script_files"][:] = kept.values()
    context["site"] = app.config.ogp_site_url


def setup(app):
    app.connect("html-page-context", tidy_scripts, priority=900)
    return {"parallel_read_safe": True}
