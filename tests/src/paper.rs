//! What happens between downloading a form and sending in its scan: it is printed, written on, stamped with the unit's physical seal
//! and scanned in colour. And the copies that go with it. The seal is engraved once for a world, as a physical one is, and every
//! impression of it lies a little askew and is inked a little unevenly; so does the paper on the scanner's glass. The browser lays
//! sheet, ink and seal over each other; poppler prints. Every copy says that it is a test's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::bidi::{DriveError, Driven, failed};
use crate::browser::Browser;
use crate::world::{World, built, font, run};

/// Paper, printer, scanner and the unit's physical seal.
#[derive(Debug)]
pub struct Paper {
    folder: PathBuf,
    seals: usize,
}

/// What was typed: the values of an application by the names of their fields.
pub type Values = [(&'static str, String)];

/// The scanner's resolution.
const DPI: f64 = 200.0;
const MM: f64 = DPI / 25.4;
/// Side of a seal's picture, true size.
const SEAL: f64 = 40.0;
/// Centres of the two frames for impressions on the seal's own sheet, millimetres from the upper left corner.
const FRAMES: [[f64; 2]; 2] = [[78.0, 122.0], [132.0, 122.0]];

impl Paper {
    /// A desk drawer in the world's folder, with a physical seal of the world's organisation.
    pub fn of(world: &World) -> Driven<Self> {
        let folder = world.plan.folder.join("paper");
        fs::create_dir_all(&folder)?;
        let mut paper = Self { folder, seals: 0 };
        paper.engrave(&world.plan.organisation.name, "测试专用")?;
        Ok(paper)
    }

    /// Has another seal engraved, which is used from now on.
    pub fn engrave(&mut self, organisation: &str, line: &str) -> Driven<()> {
        let Some(font) = font() else { return failed("there is no font in target/fonts for the physical seal: run `cargo xtask build`") };
        self.seals += 1;
        let mut command = Command::new(built("reference-ca")?);
        command.args(["picture", "--pixels", "900", "--organisation", organisation, "--line", line, "--font"]).arg(font).arg("--out").arg(self.seal());
        run(command, None).map(drop)
    }

    /// The form, signed by hand and stamped.
    pub fn form(&self, browser: &mut Browser, pdf: &Path, values: &Values) -> Driven<PathBuf> {
        let (x, y, side) = place_of_seal(pdf)?;
        let hand = value(values, "handlerName");
        // The lines to write on stand beside the place of the seal.
        let row = |index: f64| (y + 12.0 + index * 11.0) * MM;
        let written = [
            (45.0, 0.0, "year"),
            (64.0, 0.0, "month"),
            (76.0, 0.0, "day"),
            (94.0, 0.0, "after"),
            (113.0, 0.0, "month"),
            (123.0, 0.0, "day"),
            (62.0, 1.0, hand),
            (45.0, 2.0, "year"),
            (64.0, 2.0, "month"),
            (76.0, 2.0, "day"),
        ];
        let mut ink: String =
            written.iter().map(|(left, index, text)| format!("<i style='left:{}px;top:{}px'>{text}</i>", left * MM, row(*index) - 30.0)).collect();
        ink.push_str(&self.impression([x + side / 2.0, y + side / 2.0], -7.0, 0.9));
        self.scan(browser, "form", &format!("<img class=print src='{}'>{ink}", self.printed(pdf, 1)?))
    }

    /// The sheet for the seal with its impressions, one more strongly inked than the other.
    pub fn seal_form(&self, browser: &mut Browser, pdf: &Path, values: &Values) -> Driven<PathBuf> {
        let hand = value(values, "handlerName");
        let mut ink =
            format!("<i style='left:{}px;top:{}px'>{hand}</i><i style='left:{}px;top:{}px'>year.month.day</i>", 60.0 * MM, 199.0 * MM, 133.0 * MM, 199.0 * MM);
        ink.push_str(&self.impression(FRAMES[0], 4.0, 0.72));
        ink.push_str(&self.impression(FRAMES[1], -3.0, 0.95));
        self.scan(browser, "seal-form", &format!("<img class=print src='{}'>{ink}", self.printed(pdf, 2)?))
    }

    /// A copy of the business licence, stamped.
    pub fn licence(&self, browser: &mut Browser, values: &Values) -> Driven<PathBuf> {
        let rows = [
            ("名　　称", value(values, "unitName")),
            ("类　　型", "有限责任公司（测试）"),
            ("住　　所", value(values, "address")),
            ("法定代表人", "测试法人"),
            ("注册资本", "壹佰万元整"),
            ("成立日期", "2020年01月01日"),
            ("营业期限", "2020年01月01日至长期"),
            ("经营范围", "软件开发与测试。本样张仅供测试和演示。"),
        ];
        let rows: String = rows.iter().map(|(name, value)| format!("<tr><th>{name}<td>{value}")).collect();
        let body = format!(
            "<div class=licence><h1>营 业 执 照</h1><p>（副本）（测试样张）</p><p class=code>统一社会信用代码　{}</p><table>{rows}</table><p class=office>登记机关（测试）<br><span>year年month月day日</span></p></div>{}",
            value(values, "creditCode"),
            self.impression([62.0, 236.0], 11.0, 0.9)
        );
        self.scan(browser, "licence", &body)
    }

    /// A copy of both sides of the handler's identity card on one face, stamped.
    pub fn identity_card(&self, browser: &mut Browser, values: &Values) -> Driven<PathBuf> {
        let body = format!(
            "<div class=card style='top:{}px'><b>姓名</b> {}<br><b>性别</b> 男　<b>民族</b> 汉<br><b>出生</b> 1949年12月31日<br><b>住址</b> 测试市测试区样张路1号<br><b class=number>公民身份号码　{}</b><s>测试样张</s></div>\
             <div class=card style='top:{}px'><h2>中华人民共和国</h2><h2>居民身份证</h2><b>签发机关</b> 测试市公安局（样张）<br><b>有效期限</b> 2020.01.01-2040.01.01<s>测试样张</s></div>{}",
            40.0 * MM,
            value(values, "handlerName"),
            value(values, "handlerIdNumber"),
            115.0 * MM,
            self.impression([148.0, 205.0], -12.0, 0.88)
        );
        self.scan(browser, "id-card", &body)
    }

    fn seal(&self) -> PathBuf {
        self.folder.join(format!("seal-{}.png", self.seals))
    }

    /// One impression of the seal around a point.
    fn impression(&self, [x, y]: [f64; 2], turned: f64, strength: f64) -> String {
        let (left, top, side) = ((x - SEAL / 2.0) * MM, (y - SEAL / 2.0) * MM, SEAL * MM);
        format!(
            "<img class=seal src='seal-{}.png' style='left:{left}px;top:{top}px;width:{side}px;transform:rotate({turned}deg);opacity:{strength}'>",
            self.seals
        )
    }

    /// A page of a PDF, printed; the picture's name.
    fn printed(&self, pdf: &Path, page: usize) -> Driven<String> {
        let stem = format!("{}-{page}", pdf.file_stem().unwrap_or_default().to_string_lossy());
        let page = page.to_string();
        let mut command = Command::new("pdftoppm");
        command.args(["-png", "-singlefile", "-r", &DPI.to_string(), "-f", &page, "-l", &page]).arg(pdf).arg(self.folder.join(&stem));
        run(command, None)?;
        Ok(format!("{stem}.png"))
    }

    fn scan(&self, browser: &mut Browser, name: &str, body: &str) -> Driven<PathBuf> {
        let page = self.folder.join(format!("{name}.html"));
        fs::write(
            &page,
            format!("<!doctype html><meta charset=utf-8><style>{SHEET}</style><div class=glass><div class=sheet>{body}</div></div><script>{TODAY}</script>"),
        )?;
        let tab = browser.open(&format!("file://{}", page.display()))?;
        browser.activate(&tab)?;
        let file = self.folder.join(format!("{name}.jpg"));
        browser.screenshot_document(&tab, &file)?;
        browser.close_tab(&tab)?;
        Ok(file)
    }
}

/// Left, top and side of the place for the unit's seal, millimetres from the upper left corner: the form's own field says it.
fn place_of_seal(pdf: &Path) -> Driven<(f64, f64, f64)> {
    let mut command = Command::new(built("sealbridge")?);
    command.args(["fields", "--json"]).arg(pdf);
    let listed: Value = serde_json::from_str(&run(command, None)?).map_err(|error| DriveError(format!("`fields` printed no JSON: {error}")))?;
    let fields = listed["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    let place = fields.iter().find(|field| field["kind"] == "signature").map(|field| &field["places"][0]);
    let number = |name: &str| place.and_then(|place| place[name].as_f64());
    match (number("x"), number("y"), number("width")) {
        (Some(x), Some(y), Some(side)) => Ok((x, 297.0 - y - side, side)),
        _ => failed(format!("the form has no place for a seal: {listed}")),
    }
}

fn value<'v>(values: &'v Values, name: &str) -> &'v str {
    values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}

/// The date is written by whoever writes it today.
const TODAY: &str = "for (const ink of document.querySelectorAll('i, .office span')) { const [year, month, day] = new Date().toLocaleDateString('sv').split('-'); ink.textContent = ink.textContent.replace('year', year).replace('month', month).replace('day', day).replace('after', String(Number(year) + 2)); }";

/// Warm paper, uneven light, ink that mixes with what lies below it.
const SHEET: &str = "
* { box-sizing: border-box; }
body { margin: 0; font-family: 'Noto Sans SC', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', 'WenQuanYi Micro Hei', sans-serif; color: #222; }
.glass { width: 1654px; height: 2339px; overflow: hidden; background: #f3efe4; }
.sheet { position: relative; width: 1654px; height: 2339px; transform: rotate(.3deg); background: linear-gradient(115deg, #fffdf7, #f3efe4); }
.print { position: absolute; left: 0; top: 0; width: 1654px; height: 2339px; mix-blend-mode: multiply; }
.seal { position: absolute; mix-blend-mode: multiply; -webkit-mask-image: radial-gradient(circle at 38% 42%, #000 50%, rgb(0 0 0 / .78) 100%); mask-image: radial-gradient(circle at 38% 42%, #000 50%, rgb(0 0 0 / .78) 100%); }
i { position: absolute; font: italic 38px/1 'Kaiti SC', KaiTi, 'AR PL UKai CN', 'Segoe Script', 'Comic Sans MS', cursive; color: #1d2a6b; transform: rotate(-2deg) skewX(-8deg); white-space: nowrap; }
.licence { position: absolute; inset: 120px 130px auto; height: 2050px; padding: 110px 120px; border: 14px double #8a6a2a; text-align: center; }
.licence h1 { font-size: 96px; margin: 0; letter-spacing: .1em; }
.licence p { font-size: 34px; }
.licence .code { text-align: left; margin: 70px 0 40px; }
.licence table { width: 100%; border-spacing: 0 34px; font-size: 36px; text-align: left; }
.licence th { width: 260px; font-weight: 600; vertical-align: top; }
.licence .office { position: absolute; right: 130px; bottom: 120px; line-height: 1.9; }
.card { position: absolute; left: 400px; width: 853px; height: 538px; border: 3px solid #666; border-radius: 34px; padding: 50px 56px; font-size: 34px; line-height: 1.75; background: #f4f6f4; }
.card h2 { text-align: center; margin: 0 0 14px; letter-spacing: .2em; font-size: 44px; }
.card b { font-weight: 400; color: #557; }
.card .number { position: absolute; left: 56px; bottom: 44px; color: #222; }
.card s { position: absolute; right: 44px; top: 130px; border: 4px solid #a33; color: #a33; padding: 4px 16px; transform: rotate(8deg); text-decoration: none; }
";
