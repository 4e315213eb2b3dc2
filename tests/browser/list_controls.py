"""The controls of the list of calls, as tests use them."""

from playwright.sync_api import Locator, Page


def menu(page: Page, name: str) -> Locator:
    """A menu of the list, opened."""
    opener = page.locator(f"#{name}-menu")
    opener.click()
    return page.locator(".menu").filter(has=opener)


def choose(page: Page, name: str, label: str) -> None:
    menu(page, name).get_by_label(label, exact=True).check()
    page.locator("#apply").click()


def box(page: Page, row: int) -> Locator:
    return page.locator("tbody [name=call]").nth(row)


def chosen(page: Page) -> int:
    return page.locator("tbody [name=call]:checked").count()


def chips(page: Page) -> Locator:
    return page.locator(".chip")


def count(page: Page) -> Locator:
    return page.locator(".found-count")


# Filters


def save_view(page: Page, name: str, *, shared: bool = False) -> None:
    form = menu(page, "views").locator("#save-view")
    form.get_by_label("Save these filters as").fill(name)
    if shared:
        form.get_by_label("For all to use").check()
    form.get_by_role("button", name="Save").click()
