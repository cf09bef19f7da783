// NHS.UK styles and scripts look for these classes; set from a file, because pages run no inline script.
document.body.classList.add("js-enabled");
if ("noModule" in HTMLScriptElement.prototype) document.body.classList.add("nhsuk-frontend-supported");
