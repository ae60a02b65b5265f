import pytest

from bin.screenshots import file_name, is_page, kind_of

CODE = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "/"),
        (f"/courses/{CODE}/", "/courses/x/"),
        (f"/courses/{CODE}/sessions/{CODE}/move/", "/courses/x/sessions/x/move/"),
        ("/settings/rules/12/", "/settings/rules/x/"),
        ("/accounts/2fa/", "/accounts/2fa/"),
        ("/c/u/xQgVamFBMVtx/", "/c/u/x/"),
    ],
)
def test_pages_of_a_kind_differ_in_codes_only(path, kind):
    assert kind_of(path) == kind


def test_picture_is_named_after_its_page():
    assert file_name("/") == "today.png"
    assert file_name(f"/courses/{CODE}/book/") == "courses-x-book.png"


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/accounts/logout/", "/exports/files/7/", "/reports/drift.pdf"]
)
def test_what_is_no_page_is_not_followed(path):
    # Somebody signed in comes from the login to Today, which would take the place of the login's picture.
    assert not is_page(path)


def test_pages_are_followed():
    assert all(map(is_page, ["/", f"/courses/{CODE}/", "/settings/", "/c/s/secret/"]))
