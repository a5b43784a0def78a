"""Whether a browser sent a request from a page of another site."""

from collections.abc import Mapping

from crm_services.base.errors import AccessDenied
from crm_services.base.settings import Settings


def refuse_cross_site(headers: Mapping[str, str], settings: Settings) -> None:
    """Raise AccessDenied where a browser says that the request came from elsewhere.

    The CRM's cookie is SameSite=None, so a browser sends it along from any page. The rule is that of Go's
    http.CrossOriginProtection; the public origin stands in for the Host header, which behind CloudFront is the API's.
    """
    origin = headers.get("origin")
    if origin in settings.allowed_origins:
        return
    site = headers.get("sec-fetch-site")
    if site in {"same-origin", "none"} or (site is None and origin in {None, settings.public_origin or None}):
        return
    raise AccessDenied("cross_site")
