"""The description of the API: for programs as OpenAPI, for people as a page of this installation."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from api import documents
from api.reference import sections


@require_safe
def show_json(request: HttpRequest) -> HttpResponse:
    return HttpResponse(documents.as_json(), content_type="application/json")


@require_safe
def show_yaml(request: HttpRequest) -> HttpResponse:
    return HttpResponse(documents.as_yaml(), content_type="application/yaml; charset=utf-8")


@require_safe
def show_page(request: HttpRequest) -> HttpResponse:
    found = sections(documents.schema(), base_url=settings.BASE_URL)
    return render(request, "api/reference.html", {"sections": found, "base_url": settings.BASE_URL})
