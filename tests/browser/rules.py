"""What every page is held to, whatever it shows: access, width, and focus that is seen."""

from playwright.sync_api import Page

# Narrowest phone, phone, tablet, laptop, large monitor, wall.
WIDTHS = (360, 390, 768, 1440, 2560, 3840)
WITH_AXE = (390, 1440)
# Rows after the twelfth are drawn like those above, and the frame is the same around every page: to hold both
# to the rules would take most of the time.
MORE_ROWS, FRAME = "tbody > tr:nth-child(n + 13)", ".side, .top, #keys"
# Without preload: it reads the style sheets anew by inline styles, which our content policy blocks.
AXE = """async ({only, without}) => (await axe.run({exclude: without.map((one) => [one])}, {
    preload: false,
    resultTypes: ['violations'],
    ...(only ? {runOnly: only} : {rules: {'target-size': {enabled: true}}}),
})).violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`)"""
# All that another theme can break.
OF_COLOURS = ("color-contrast", "link-in-text-block")
TOO_WIDE = """async (width) => {
    // What a script fits into the window has a frame's time.
    await new Promise(requestAnimationFrame);
    const page = document.documentElement.scrollWidth;
    if (page <= width) return [];
    const far = [...document.querySelectorAll('body *')]
        .filter((one) => one.getBoundingClientRect().right > width);
    return [`scrolls sideways to ${page}: ${far.at(-1)?.outerHTML.slice(0, 120)}`];
}"""
FOCUS_UNSEEN = """() => {
    const look = (one) => {
        const seen = one.matches('.form-selectgroup-input') ? one.nextElementSibling : one;
        const style = getComputedStyle(seen);
        return [style.outlineStyle, style.outlineWidth, style.boxShadow, style.borderColor].join();
    };
    const within = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
    const before = document.activeElement;
    before.blur();
    const unseen = [...document.querySelectorAll(within)].filter((one) => {
        if (!one.checkVisibility({visibilityProperty: true}) || one.disabled) return false;
        const plain = look(one);
        one.focus({focusVisible: true, preventScroll: true});
        const same = document.activeElement === one && look(one) === plain;
        one.blur();
        return same;
    });
    before.focus({preventScroll: true});
    return unseen.slice(0, 5).map((one) => `focus is not seen: ${one.outerHTML.slice(0, 160)}`);
}"""


def violations(page: Page, axe: str) -> list[str]:
    """The rules of WCAG and of good practice that the page breaks as it is shown now."""
    page.evaluate(axe)
    found: list[str] = page.evaluate(AXE, {"without": []})
    return found


def broken(page: Page, axe: str, *, with_frame: bool = True) -> list[str]:
    """All that is wrong with the page at any width and in either theme.

    It is left at 1440 px, light, without its further rows.
    """
    problems: list[str] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        problems += [f"at {width} px: {one}" for one in page.evaluate(TOO_WIDE, width)]
    page.evaluate("(rows) => document.querySelectorAll(rows).forEach((row) => row.remove())", MORE_ROWS)
    page.evaluate(axe)
    without = [] if with_frame else [FRAME]
    # Else colours would still be on their way.
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    for width in WITH_AXE:
        page.set_viewport_size({"width": width, "height": 900})
        problems += [f"at {width} px, light: {one}" for one in page.evaluate(AXE, {"without": without})]
        page.emulate_media(color_scheme="dark")
        colours = page.evaluate(AXE, {"without": without, "only": OF_COLOURS})
        problems += [f"at {width} px, dark: {one}" for one in colours]
        page.emulate_media(color_scheme="light")
    page.emulate_media(reduced_motion="no-preference")
    return problems + page.evaluate(FOCUS_UNSEEN)
