from models.identity import Role
from .conftest import DESK, PHONE, House, entered, listening, violations
import pathlib, re
OUT = pathlib.Path("/tmp/form_shots"); OUT.mkdir(exist_ok=True)

def test_shots(shared: House, browser) -> None:
    with listening(shared) as url:
        for size in (DESK, PHONE):
            with entered(browser, url, Role.CLINICIAN, size) as page:
                page.goto("/patient")
                page.screenshot(path=OUT / f"empty{size[0]}.png", full_page=True)
                page.fill("#age_years", "66,5"); page.select_option("#tumour", "pancreatic")
                page.fill("#alc", "800"); page.select_option("#anc_unit", "10*9/L"); page.fill("#anc", "5.5")
                page.fill("#drawn", page.input_value("#as_of"))
                page.fill("#draws", "2026-05-01 ALC 0.9 10*9/L\n2026-05-01 ALT 35 U/L\n2026-06-01 CA 19-9 < 2.0 kg\n2026-06-02 LDH 3,4 U/L")
                page.fill("#t1_agents", "gemcitabine")
                page.click("main button:has-text('Show the risk'):visible")
                page.screenshot(path=OUT / f"fault{size[0]}.png", full_page=True)
                print(page.inner_text("section.told.bad"), page.evaluate("document.activeElement.outerHTML.slice(0,60)"), violations(page))
                page.fill("#age_years", "66"); page.fill("#draws", "2026-05-01 ALC 0.9 10*9/L\n2026-04-01 ALC 0.7 10*9/L"); page.fill("#t1_agents", ""); page.fill("#alc", ""); page.select_option("#tumour","glioma") if False else None
                page.click("main button:has-text('Show the risk'):visible")
                page.screenshot(path=OUT / f"insuff{size[0]}.png", full_page=True)
                print(page.url, page.inner_text("main")[:1500])
                page.fill("#alc", "0.6"); page.select_option("#alc_unit", "10*9/L")
                page.fill("#albumin", "34"); page.select_option("#albumin_unit", "g/L")
                page.click("main button:has-text('Show the risk'):visible")
                page.screenshot(path=OUT / f"answer{size[0]}.png", full_page=True)
                print(page.url, page.inner_text("main")[:300])
