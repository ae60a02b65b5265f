import pytest

from bin.screenshots import file_name, kind_of

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
