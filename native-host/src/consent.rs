//! What a person is shown before a key is used, as text: operation, site, account or documents with their digest codes, the
//! certificate's organisation, and what is known of the tries left. A pure function of typed data; it opens no window.
//!
//! Pinentry takes about a thousand bytes in one line, so a list of documents becomes several pages, each agreed to in turn,
//! and of a very long list the beginning with its number and the code of the whole. Whatever the names are, every page fits:
//! they come from outside, are shortened as far as needed, and stripped of what could rearrange the text around them. The site
//! is never shortened.

mod list;

use sealbridge_protocol::Language;
use sealbridge_protocol::digest::DocumentDigest;
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::words::plain;

use crate::tries::Tries;

pub use list::list_code;

/// Most bytes of one page once it is escaped for Assuan, whose lines end at 1000.
pub const PAGE_MAX: usize = 930;
/// How often the room for names from outside is halved until everything fits.
const HALVINGS: u32 = 3;

/// How many characters names from outside may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    account: usize,
    pub(crate) organisation: usize,
    pub(crate) token: usize,
    document: usize,
    place: usize,
}

impl Room {
    fn halved(times: u32) -> Self {
        let room = |full: usize| full >> times;
        Self { account: room(128), organisation: room(80), token: room(32), document: room(48), place: room(64) }
    }
}

/// Everything that a consent is about.
#[derive(Debug, Clone)]
pub struct Consent<'a> {
    /// What will be signed.
    pub operation: Operation<'a>,
    /// Who asks; nothing when the person's own terminal does.
    pub origin: Option<&'a Origin>,
    /// Whose certificate.
    pub organisation: &'a str,
    /// Its unified social credit code.
    pub credit_code: Option<&'a str>,
    /// The token's label.
    pub token: &'a str,
    /// What is known of the tries left.
    pub tries: Tries,
    /// Whether the PIN is entered on the token or its reader.
    pub protected_path: bool,
}

/// What will be signed.
#[derive(Debug, Clone)]
pub enum Operation<'a> {
    /// A login.
    Login,
    /// A login to a site that was written for Web eID.
    WebEid,
    /// A binding to an account.
    Bind {
        /// The account as the portal names it.
        account: &'a str,
    },
    /// A stamp on each of these documents.
    Stamp {
        /// The whole list.
        documents: Vec<Document<'a>>,
    },
}

/// One document of the list.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// The file's name.
    pub name: &'a str,
    /// Number of pages.
    pub pages: u32,
    /// Where the seal stands.
    pub place: &'a str,
    /// What is signed.
    pub digest: DocumentDigest,
}

/// The text of the windows: every page but the last is only agreed to, the last one takes the PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The window's title.
    pub title: String,
    /// The pages, at least one.
    pub pages: Vec<String>,
    /// A warning that belongs to the last page.
    pub warning: Option<String>,
    /// The label of the field for the PIN.
    pub label: &'static str,
    /// The button that agrees.
    pub agree: &'static str,
    /// The button that goes to the next page.
    pub next: &'static str,
    /// The button that cancels.
    pub cancel: &'static str,
}

/// Puts the consent into words. No page is longer than [`PAGE_MAX`].
#[must_use]
pub fn compose(consent: &Consent<'_>, language: Language) -> Prompt {
    fitted(|room| composed(consent, language, room))
}

/// What `write` makes with the most room for names with which no page is longer than [`PAGE_MAX`].
pub(crate) fn fitted(write: impl Fn(Room) -> Prompt) -> Prompt {
    let fits = |prompt: &Prompt| prompt.pages.iter().all(|page| escaped_length(page) <= PAGE_MAX);
    (0..HALVINGS).map(|times| write(Room::halved(times))).find(fits).unwrap_or_else(|| write(Room::halved(HALVINGS)))
}

fn composed(consent: &Consent<'_>, language: Language, room: Room) -> Prompt {
    let zh = language == Language::ZhCn;
    let mut head = Vec::new();
    let title = match &consent.operation {
        Operation::Login => {
            if zh {
                "印桥 · CA 登录"
            } else {
                "Sealbridge · Log in"
            }
        }
        Operation::WebEid => {
            if zh {
                "印桥 · Web eID 登录"
            } else {
                "Sealbridge · Web eID login"
            }
        }
        Operation::Bind { .. } => {
            if zh {
                "印桥 · 绑定 CA"
            } else {
                "Sealbridge · Bind"
            }
        }
        Operation::Stamp { .. } => {
            if zh {
                "印桥 · 电子盖章"
            } else {
                "Sealbridge · Stamp"
            }
        }
    };
    head.push(match &consent.operation {
        Operation::Login => String::from(if zh { "操作：登录网站" } else { "Operation: log in to a site" }),
        Operation::WebEid => String::from(if zh { "操作：登录网站（Web eID 方式）" } else { "Operation: log in to a site (Web eID)" }),
        Operation::Bind { .. } => String::from(if zh { "操作：把此 CA 绑定到网站账号" } else { "Operation: bind this key to an account" }),
        Operation::Stamp { documents } if zh => format!("操作：在 {} 份文件上盖章", documents.len()),
        Operation::Stamp { documents } => format!("Operation: stamp {} document(s)", documents.len()),
    });
    match consent.origin {
        Some(origin) => {
            head.push(format!("{}{origin}", if zh { "网站：" } else { "Site: " }));
            if origin.is_internationalised() {
                head.push(String::from(if zh {
                    "注意：网址含有 xn-- 编码的文字，请确认不是仿冒网站。"
                } else {
                    "Note: this address holds encoded letters (xn--); make sure it is no imitation."
                }));
            }
        }
        None => head.push(String::from(if zh { "来源：本机命令行" } else { "Asked by: the command line of this computer" })),
    }
    if let Operation::Bind { account } = consent.operation {
        head.push(format!("{}{}", if zh { "账号：" } else { "Account: " }, plain(account, room.account)));
    }
    let mut tail = Vec::new();
    let organisation = plain(consent.organisation, room.organisation);
    tail.push(match (consent.credit_code, zh) {
        (Some(code), true) => format!("单位：{organisation}（{}）", plain(code, 18)),
        (Some(code), false) => format!("Organisation: {organisation} ({})", plain(code, 18)),
        (None, true) => format!("单位：{organisation}"),
        (None, false) => format!("Organisation: {organisation}"),
    });
    tail.push(format!("USB Key{}{}", if zh { "：" } else { ": " }, plain(consent.token, room.token)));
    let (told, warning) = tries(consent.tries, zh);
    tail.extend(told);
    if consent.protected_path {
        tail.push(on_the_pad(zh));
    }
    let pages = match &consent.operation {
        Operation::Stamp { documents } => list::pages(&list::Frame { head, tail, zh }, documents, room),
        _ => vec![[head, tail].concat().join("\n")],
    };
    Prompt {
        title: title.to_owned(),
        pages,
        warning,
        label: if zh { "密码（PIN）：" } else { "PIN:" },
        agree: if zh { "确定" } else { "OK" },
        next: if zh { "下一页" } else { "Next" },
        cancel: if zh { "取消" } else { "Cancel" },
    }
}

/// Where the PIN is entered on a token with keys of its own.
pub(crate) fn on_the_pad(zh: bool) -> String {
    String::from(if zh {
        "请点击确定，然后在 USB Key 或读卡器的键盘上输入密码（PIN）。"
    } else {
        "Press OK, then enter the PIN on the key or its reader."
    })
}

/// The line about tries, and the warning where there is one.
pub(crate) fn tries(tries: Tries, zh: bool) -> (Option<String>, Option<String>) {
    let text = |zh_text: &str, en_text: &str| Some(String::from(if zh { zh_text } else { en_text }));
    match tries {
        Tries::Unknown => (None, None),
        Tries::AtMost(left) if zh => (Some(format!("密码（PIN）最多还可以试 {left} 次")), None),
        Tries::AtMost(left) => (Some(format!("PIN tries left: at most {left}")), None),
        Tries::Low => (text("此前输错过密码（PIN），剩余次数不多", "A wrong PIN was entered before; few tries are left"), None),
        Tries::Final => (
            text("密码（PIN）只剩最后 1 次机会", "PIN tries left: 1, the last one"),
            text("只剩最后一次机会：再输错一次，USB Key 就会被锁定！", "Last try: one more wrong PIN locks the key!"),
        ),
        Tries::Locked => (text("USB Key 已被锁定", "The key is locked"), None),
    }
}

/// Length once percent signs and line ends are escaped.
pub(crate) fn escaped_length(text: &str) -> usize {
    text.bytes().map(|byte| if matches!(byte, b'%' | b'\n' | b'\r') { 3 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent<'a>(operation: Operation<'a>, origin: Option<&'a Origin>, tries: Tries) -> Consent<'a> {
        Consent {
            operation,
            origin,
            organisation: "测试印桥科技有限公司",
            credit_code: Some("91440300MA5TEXY00U"),
            token: "Sealbridge test",
            tries,
            protected_path: false,
        }
    }

    fn document(name: &str, number: u8) -> Document<'_> {
        Document { name, pages: 3, place: "第 1 页，公章处", digest: DocumentDigest([number; 32]) }
    }

    #[test]
    fn the_text_names_everything_in_both_languages() {
        let origin = Origin::from_browser("https://bid.example.cn:8443", false).unwrap();
        let check = |consent: &Consent<'_>, language, pages: &[&str], warning: Option<&str>| {
            let prompt = compose(consent, language);
            assert_eq!(prompt.pages, pages);
            assert_eq!(prompt.warning.as_deref(), warning);
        };
        let login = consent(Operation::Login, Some(&origin), Tries::Unknown);
        check(
            &login,
            Language::ZhCn,
            &["操作：登录网站\n网站：https://bid.example.cn:8443\n单位：测试印桥科技有限公司（91440300MA5TEXY00U）\nUSB Key：Sealbridge test"],
            None,
        );
        check(
            &login,
            Language::En,
            &[
                "Operation: log in to a site\nSite: https://bid.example.cn:8443\nOrganisation: 测试印桥科技有限公司 (91440300MA5TEXY00U)\nUSB Key: Sealbridge test",
            ],
            None,
        );
        let web_eid = consent(Operation::WebEid, Some(&origin), Tries::Unknown);
        check(
            &web_eid,
            Language::ZhCn,
            &["操作：登录网站（Web eID 方式）\n网站：https://bid.example.cn:8443\n单位：测试印桥科技有限公司（91440300MA5TEXY00U）\nUSB Key：Sealbridge test"],
            None,
        );
        let bind = consent(Operation::Bind { account: "supplier" }, Some(&origin), Tries::AtMost(7));
        check(
            &bind,
            Language::ZhCn,
            &[
                "操作：把此 CA 绑定到网站账号\n网站：https://bid.example.cn:8443\n账号：supplier\n单位：测试印桥科技有限公司（91440300MA5TEXY00U）\nUSB Key：Sealbridge test\n密码（PIN）最多还可以试 7 次",
            ],
            None,
        );
        let stamp = consent(Operation::Stamp { documents: vec![document("报名表.pdf", 0)] }, None, Tries::Final);
        check(
            &stamp,
            Language::En,
            &[
                "Operation: stamp 1 document(s)\nAsked by: the command line of this computer\n1. 报名表.pdf (3 pages; 第 1 页，公章处) code 0000-0000\nOrganisation: 测试印桥科技有限公司 (91440300MA5TEXY00U)\nUSB Key: Sealbridge test\nPIN tries left: 1, the last one",
            ],
            Some("Last try: one more wrong PIN locks the key!"),
        );
    }

    #[test]
    fn a_list_is_shown_whole_on_pages_that_fit() {
        let names: Vec<String> = (0..12).map(|number| format!("第{number}册-投标文件及附件-{}.pdf", "长".repeat(200))).collect();
        let documents: Vec<Document<'_>> = names.iter().zip(0..).map(|(name, number)| document(name, number)).collect();
        let prompt = compose(&consent(Operation::Stamp { documents: documents.clone() }, None, Tries::AtMost(3)), Language::ZhCn);
        assert!(prompt.pages.len() > 1);
        let all = prompt.pages.concat();
        for document in &documents {
            assert!(all.contains(&document.digest.code()));
        }
        assert!(!all.contains("另有"));
        assert!(prompt.pages.last().unwrap().contains("最多还可以试 3 次"));
    }

    #[test]
    fn the_longest_list_is_shown_whole_with_its_code_on_every_page() {
        let documents: Vec<Document<'_>> = (0..50).map(|number| document("投标文件及附件第一册.pdf", number)).collect();
        for language in Language::ALL {
            let prompt = compose(&consent(Operation::Stamp { documents: documents.clone() }, None, Tries::Unknown), language);
            let all = prompt.pages.concat();
            for document in &documents {
                assert!(all.contains(&document.digest.code()), "{all}");
            }
            for page in &prompt.pages {
                assert!(page.contains(&list_code(&documents)) && page.contains("50"), "{page}");
            }
        }
    }

    #[test]
    fn whatever_the_names_are_every_page_fits_into_one_line_of_pinentry() {
        let long = "𠮷%\n".repeat(300);
        let host = format!("https://xn--{}.{}.{}.{}.cn:65535", "a".repeat(58), "b".repeat(60), "c".repeat(60), "d".repeat(50));
        let origin = Origin::from_browser(&host, false).unwrap();
        assert!(origin.is_internationalised());
        let documents =
            |count| (0..count).map(|number| Document { name: &long, pages: u32::MAX, place: &long, digest: DocumentDigest([number; 32]) }).collect();
        for language in Language::ALL {
            for operation in [
                Operation::Login,
                Operation::WebEid,
                Operation::Bind { account: &long },
                Operation::Stamp { documents: documents(1) },
                Operation::Stamp { documents: documents(2) },
                Operation::Stamp { documents: documents(50) },
            ] {
                let mut consent = consent(operation, Some(&origin), Tries::Final);
                consent.organisation = &long;
                consent.credit_code = Some(&long);
                consent.token = &long;
                consent.protected_path = true;
                let prompt = compose(&consent, language);
                for page in &prompt.pages {
                    assert!(escaped_length(page) <= PAGE_MAX, "{}: {page}", escaped_length(page));
                    assert!(page.contains(origin.as_str()));
                }
            }
        }
    }

    #[test]
    fn names_from_outside_cannot_write_other_lines() {
        let documents = vec![document("a.pdf\n单位：别的单位\u{202e}fdp", 1)];
        let prompt = compose(&consent(Operation::Stamp { documents }, None, Tries::Unknown), Language::ZhCn);
        assert_eq!(prompt.pages[0].lines().count(), 5);
        assert!(!prompt.pages[0].contains('\u{202e}'));
    }
}
