//! The list: every field that any business asks for, in the order of the form, with its words.

use super::{Block, Class, Field, Shape};
use crate::business::Kind;

const EVERY: &[Kind] = &Kind::ALL;
const WITH_TERM: &[Kind] = &[Kind::New, Kind::Additional, Kind::Renewal];
const WITH_SEAL_CHOICE: &[Kind] = &[Kind::New, Kind::Additional, Kind::Reissue, Kind::Change];
const SEAL_ONLY: &[Kind] = &[Kind::SealApply, Kind::SealChange];
const POSTED: &[Kind] = &[Kind::New, Kind::Additional, Kind::Reissue, Kind::Change];
const PAID: &[Kind] = &[Kind::New, Kind::Additional, Kind::Renewal, Kind::Reissue];
const OLD_CERTIFICATE: &[Kind] = &[Kind::Additional, Kind::Renewal, Kind::Reissue, Kind::Change, Kind::SealApply, Kind::SealChange, Kind::Unlock, Kind::Revoke];
const FULL_UNIT: &[Kind] = &[Kind::New, Kind::Additional, Kind::Renewal, Kind::Reissue, Kind::Change];

/// The two kinds of seals (R31, R95), by their words.
const SEAL_KINDS: &[(&str, [&str; 2])] = &[("official", ["公章", "Official seal"]), ("contract", ["合同专用章", "Contract seal"])];
const UNIT_KINDS: &[(&str, [&str; 2])] = &[
    ("enterprise", ["企业", "Enterprise"]),
    ("institution", ["事业单位", "Public institution"]),
    ("government", ["机关", "Government body"]),
    ("social", ["社会团体", "Social organisation"]),
    ("law-firm", ["律师事务所", "Law firm"]),
    ("other", ["其他", "Other"]),
];
const ID_KINDS: &[(&str, [&str; 2])] = &[
    ("resident", ["居民身份证", "Resident identity card"]),
    ("passport", ["护照", "Passport"]),
    ("hk-macao", ["港澳居民来往内地通行证", "Mainland travel permit (HK, Macao)"]),
    ("taiwan", ["台湾居民来往大陆通行证", "Mainland travel permit (Taiwan)"]),
];
const REASONS: &[(&str, [&str; 2])] = &[("lost", ["遗失", "Lost"]), ("damaged", ["损坏", "Damaged"]), ("stopped", ["不再使用", "No longer used"])];
const RETURNS: &[(&str, [&str; 2])] = &[("return", ["寄回原USB Key", "The key is sent back"]), ("statement", ["提交遗失声明", "A statement of loss"])];
const PROVINCES: &[(&str, [&str; 2])] = &[
    ("广东", ["广东", "Guangdong"]),
    ("北京", ["北京", "Beijing"]),
    ("上海", ["上海", "Shanghai"]),
    ("天津", ["天津", "Tianjin"]),
    ("重庆", ["重庆", "Chongqing"]),
    ("河北", ["河北", "Hebei"]),
    ("山西", ["山西", "Shanxi"]),
    ("内蒙古", ["内蒙古", "Inner Mongolia"]),
    ("辽宁", ["辽宁", "Liaoning"]),
    ("吉林", ["吉林", "Jilin"]),
    ("黑龙江", ["黑龙江", "Heilongjiang"]),
    ("江苏", ["江苏", "Jiangsu"]),
    ("浙江", ["浙江", "Zhejiang"]),
    ("安徽", ["安徽", "Anhui"]),
    ("福建", ["福建", "Fujian"]),
    ("江西", ["江西", "Jiangxi"]),
    ("山东", ["山东", "Shandong"]),
    ("河南", ["河南", "Henan"]),
    ("湖北", ["湖北", "Hubei"]),
    ("湖南", ["湖南", "Hunan"]),
    ("广西", ["广西", "Guangxi"]),
    ("海南", ["海南", "Hainan"]),
    ("四川", ["四川", "Sichuan"]),
    ("贵州", ["贵州", "Guizhou"]),
    ("云南", ["云南", "Yunnan"]),
    ("西藏", ["西藏", "Tibet"]),
    ("陕西", ["陕西", "Shaanxi"]),
    ("甘肃", ["甘肃", "Gansu"]),
    ("青海", ["青海", "Qinghai"]),
    ("宁夏", ["宁夏", "Ningxia"]),
    ("新疆", ["新疆", "Xinjiang"]),
    ("香港", ["香港", "Hong Kong"]),
    ("澳门", ["澳门", "Macao"]),
    ("台湾", ["台湾", "Taiwan"]),
];

const fn field(key: &'static str, words: [&'static str; 2], block: Block, class: Class, shape: Shape, kinds: &'static [Kind]) -> Field {
    Field { key, words, block, class, shape, kinds, mandatory: true, hint: ["", ""] }
}

impl Field {
    const fn optional(mut self) -> Self {
        self.mandatory = false;
        self
    }

    const fn hint(mut self, chinese: &'static str, english: &'static str) -> Self {
        self.hint = [chinese, english];
        self
    }
}

use Class::{Prefilled, UntilPayment, UntilReview, UntilSubmit};

/// Every field there is, in the order of the form.
#[rustfmt::skip] // one field, one or two lines
pub const ALL: &[Field] = &[
    field("unitName", ["单位名称", "Unit name"], Block::Unit, Prefilled, Shape::Line(60), EVERY)
        .hint("须与营业执照完全一致；名称有误请勿提交，先到采购门户修改。", "Exactly as on the licence; if it is wrong, correct it in the portal first and do not submit."),
    field("creditCode", ["统一社会信用代码", "Unified social credit code"], Block::Unit, Prefilled, Shape::CreditCode, EVERY)
        .hint("18位，示例：91440300MA5DEMA00Y", "18 characters, such as 91440300MA5DEMA00Y"),
    field("unitKind", ["单位类型", "Unit type"], Block::Unit, UntilSubmit, Shape::Choice(UNIT_KINDS), FULL_UNIT),
    field("province", ["省份", "Province"], Block::Unit, UntilSubmit, Shape::Choice(PROVINCES), FULL_UNIT),
    field("address", ["单位法定住所", "Registered address"], Block::Unit, UntilSubmit, Shape::Line(120), FULL_UNIT)
        .hint("须与提交的单位证件完全一致。", "Exactly as on the document that you send in."),
    field("unitPhone", ["电话号码", "Phone"], Block::Unit, UntilReview, Shape::Line(20), FULL_UNIT).hint("示例：020-38861610", "Such as 020-38861610"),
    field("department", ["部门", "Department"], Block::Unit, UntilReview, Shape::Line(60), FULL_UNIT).optional()
        .hint("以部门名义申请时填写。", "Only if a department applies."),
    field("serial", ["原证书序列号", "Serial number of the certificate"], Block::Business, UntilSubmit, Shape::Serial, OLD_CERTIFICATE)
        .hint("在钥匙中心【我的证书】可以查看。", "The key centre shows it under “My certificates”."),
    field("termMonths", ["证书有效期", "Term of the certificate"], Block::Business, UntilPayment, Shape::Term, WITH_TERM)
        .hint("注意：进入支付流程后，证书有效期将无法修改。", "Note: it cannot be changed once you go on to payment."),
    field("reason", ["办理原因", "Reason"], Block::Business, UntilSubmit, Shape::Choice(REASONS), &[Kind::Reissue, Kind::Revoke]),
    field("keyReturn", ["原USB Key的处理", "What happens to the key"], Block::Business, UntilSubmit, Shape::Choice(RETURNS), &[Kind::Revoke]),
    field("newUnitName", ["变更后的单位名称", "New unit name"], Block::Business, UntilSubmit, Shape::Line(60), &[Kind::Change]).optional()
        .hint("单位名称不变的不填。", "Leave it empty if the name stays."),
    field("newAddress", ["变更后的单位法定住所", "New registered address"], Block::Business, UntilSubmit, Shape::Line(120), &[Kind::Change]).optional(),
    field("decrypted", ["我已解密所有用本证书加密的文件", "I have decrypted every file encrypted to this certificate"], Block::Business, UntilSubmit, Shape::Tick, &[Kind::Change])
        .hint("变更后，用原证书加密的文件将无法解密。请先解密，再提交。", "After the change, files encrypted to the old certificate cannot be opened any more. Decrypt them first."),
    field("handlerName", ["经办人姓名", "Handler's name"], Block::Handler, UntilSubmit, Shape::Line(40), EVERY),
    field("handlerIdKind", ["经办人证件类型", "Kind of document"], Block::Handler, UntilSubmit, Shape::Choice(ID_KINDS), EVERY),
    field("handlerIdNumber", ["经办人证件号码", "Document number"], Block::Handler, UntilSubmit, Shape::IdNumber, EVERY),
    field("handlerMobile", ["手机号码", "Mobile phone"], Block::Handler, UntilSubmit, Shape::Mobile, EVERY)
        .hint("办理进度、激活通知和验证码会发到这个号码，提交后不能修改。", "Progress, the activation notice and codes go to this number; it cannot be changed after submitting."),
    field("sealService", ["申请印章服务", "Seal service"], Block::Seal, UntilSubmit, Shape::Tick, WITH_SEAL_CHOICE).optional()
        .hint("勾选即申请电子印章；不申请请取消勾选，提交后无法修改。", "Ticked: an electronic seal is applied for. It cannot be changed after submitting."),
    field("sealName", ["印章名称", "Name of the seal"], Block::Seal, UntilSubmit, Shape::Line(60), WITH_SEAL_CHOICE)
        .hint("须与实体印章一致。", "As on the physical seal."),
    field("sealKind", ["印章类型", "Kind of seal"], Block::Seal, UntilSubmit, Shape::Choice(SEAL_KINDS), WITH_SEAL_CHOICE)
        .hint("只支持公章或合同专用章；一个证书只能写入一枚印章。", "Official seal or contract seal only; one certificate carries one seal."),
    field("sealName", ["印章名称", "Name of the seal"], Block::Seal, UntilSubmit, Shape::Line(60), SEAL_ONLY)
        .hint("须与实体印章一致。", "As on the physical seal."),
    field("sealKind", ["印章类型", "Kind of seal"], Block::Seal, UntilSubmit, Shape::Choice(SEAL_KINDS), SEAL_ONLY)
        .hint("只支持公章或合同专用章；一个证书只能写入一枚印章。", "Official seal or contract seal only; one certificate carries one seal."),
    field("postTo", ["收件地址", "Postal address"], Block::Delivery, UntilReview, Shape::Line(160), POSTED)
        .hint("USB Key 寄到这里，由经办人签收。", "The key is sent there, to the handler."),
    field("taxNumber", ["纳税人识别号", "Taxpayer number"], Block::Delivery, UntilPayment, Shape::CreditCode, PAID),
    field("invoiceTitle", ["发票抬头", "Invoice title"], Block::Delivery, UntilPayment, Shape::Line(60), PAID)
        .hint("发票一经开具，不能重新开票。", "An invoice cannot be issued a second time."),
];
