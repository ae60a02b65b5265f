"""Searching a list as its form does."""


def look_for(browser, address, text, **filters):
    """Post what is looked for, and return the address to which the list sends its reader."""
    answer = browser.post(address, {"q": text, **filters})
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]
