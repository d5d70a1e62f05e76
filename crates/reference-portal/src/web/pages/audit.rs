//! 审计记录: what was done with this account (an auditor sees all), and whether the whole chain still holds.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::{Frame, render};
use crate::refusal::Refusal;
use crate::settings::Portal;
use crate::store::accounts::Role;
use crate::store::audit::{self, Record};
use crate::web::visitor::Visitor;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    page: Frame,
    all: bool,
    records: Vec<Record>,
}

pub(in crate::web) async fn show(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Refusal> {
    let (_, account) = visitor.supplier()?;
    let all = account.role == Role::Auditor;
    let records = audit::newest(portal.database(), (!all).then_some(account.id)).await?;
    Ok(render(&AuditPage { page: Frame::of(&portal, &visitor, "audit"), all, records }))
}

impl AuditPage {
    /// The action in words.
    fn action(&self, record: &Record) -> &'static str {
        let (chinese, english) = match record.action.as_str() {
            "login-password" => ("密码登录", "Password login"),
            "login-certificate" => ("CA登录", "CA login"),
            "logout" => ("退出登录", "Sign out"),
            "bind" => ("绑定", "Bind"),
            "renew" => ("绑定转到续期后的证书", "Binding carried over to the renewed certificate"),
            "unbind" => ("解绑", "Unbind"),
            "hand-over" => ("转往CA办理", "Handed over to the CA"),
            "desk-progress" => ("CA办理进度", "The CA's answer"),
            "encrypted-files" => ("未解密文件数", "Files not yet decrypted"),
            "submit" => ("提交投标文件", "Submit bid"),
            "end-sessions" => ("退出其他会话", "End other sessions"),
            _ => ("其他", "Other"),
        };
        self.page.say(chinese, english)
    }
}
