"""README's picture of the page: `demo/masks/index.html` in the system's Chromium.

make demo && .venv/bin/python scripts/page_picture.py
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Write docs/pictures/page.jpg."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("needs chromium")
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tab = opened.new_page(viewport={"width": 1280, "height": 900})
        tab.goto((ROOT / "demo" / "masks" / "index.html").as_uri())
        tab.wait_for_function("[...document.querySelectorAll('canvas[data-address]')].every((each) => each.width > 1)")
        tab.locator(".card .picture").nth(1).hover(position={"x": 190, "y": 110})
        shot = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
        opened.close()
    target = ROOT / "docs" / "pictures" / "page.jpg"
    shot.resize((960, 675), Image.Resampling.LANCZOS).save(target, quality=85)
    print(target)


if __name__ == "__main__":
    main()
