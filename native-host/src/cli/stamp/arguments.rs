//! The words of `stamp` on the command line. What each of them means in a document is [`super::wish`]'s business.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use sealbridge_protocol::fields::{CertificateId, SealId};
use sealbridge_seal::Which;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("to").required(true).args(["out", "out_dir", "in_place"]))]
#[command(group = ArgGroup::new("new_file").args(["out", "out_dir"]).multiple(true))]
#[command(group = ArgGroup::new("paper").args(["page", "pages"]).multiple(true))]
#[command(group = ArgGroup::new("ranged").args(["at", "keyword"]).multiple(true))]
#[command(group = ArgGroup::new("sized").args(["at", "keyword", "seam", "also"]).multiple(true))]
pub(in crate::cli) struct Stamp {
    /// The PDFs; up to 50 share one consent and one PIN 要盖章的文件，每 50 份确认一次
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Write the stamped document here 盖章后的文件
    #[arg(long, value_name = "OUT")]
    pub(super) out: Option<PathBuf>,
    /// Write the stamped documents into this folder, under their own names 盖章后的文件夹，文件名不变
    #[arg(long, value_name = "DIR")]
    pub(super) out_dir: Option<PathBuf>,
    /// Append to the documents themselves 直接追加到原文件
    #[arg(long)]
    pub(super) in_place: bool,
    /// Overwrite what is there 覆盖已有文件
    #[arg(long, requires = "new_file")]
    pub(super) force: bool,
    /// Leave out inputs whose output is there already and verifies as a stamp over that very input 跳过已经盖好的文件
    #[arg(long, requires = "new_file")]
    pub(super) resume: bool,

    /// The signature field to stamp into; may be left out where there is only one 盖章的签名域
    #[arg(long, value_name = "NAME", conflicts_with_all = ["page", "at", "pages", "keyword"], help_heading = PLACE)]
    pub(super) field: Option<String>,
    /// The page to stamp on, from 1 盖章的页
    #[arg(long, value_name = "N", requires = "at", conflicts_with = "pages", value_parser = clap::value_parser!(u32).range(1..), help_heading = PLACE)]
    pub(super) page: Option<u32>,
    /// Several pages with --at, or the pages that --keyword looks at: 1-3,5,last; odd; even; all 多页：1-3,5,末页
    #[arg(long, value_name = "RANGE", requires = "ranged", help_heading = PLACE)]
    pub(super) pages: Option<String>,
    /// Lower left corner of the seal in mm, from the lower left corner of the page as it is displayed 印章左下角的位置（毫米）
    #[arg(long, value_name = "X,Y", requires = "paper", value_parser = point, allow_hyphen_values = true, help_heading = PLACE)]
    pub(super) at: Option<Point>,
    /// Stamp over this text 盖在这段文字上
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["page", "at"], help_heading = PLACE)]
    pub(super) keyword: Option<String>,
    /// Which of its places: a number from 1, first, last or all [default: first] 第几处
    #[arg(long, value_name = "N|first|last|all", requires = "keyword", value_parser = which, help_heading = PLACE)]
    pub(super) nth: Option<Nth>,
    /// How far right of and above the text the seal's centre stands, in mm 相对文字的偏移（毫米）
    #[arg(long, value_name = "DX,DY", requires = "keyword", value_parser = point, allow_hyphen_values = true, help_heading = PLACE)]
    pub(super) offset: Option<Point>,
    /// One more impression of the seal; may be repeated; PAGE may be a range 再盖一处
    #[arg(long, value_name = "PAGE@X,Y", value_parser = spot, help_heading = PLACE)]
    pub(super) also: Vec<Spot>,
    /// Width of the seal in mm; its own size where left out 印章宽度（毫米）
    #[arg(long, value_name = "MM", requires = "sized", help_heading = PLACE)]
    pub(super) width: Option<f64>,

    /// A riding seam over the pages' edges; alone, or beside another place 骑缝章
    #[arg(long, help_heading = SEAM)]
    pub(super) seam: bool,
    /// The seam's pages [default: all] 骑缝章的页
    #[arg(long, value_name = "RANGE", requires = "seam", help_heading = SEAM)]
    pub(super) seam_pages: Option<String>,
    /// The edge 骑缝章在哪一边
    #[arg(long, value_name = "SIDE", requires = "seam", value_enum, default_value_t = Edge::Right, help_heading = SEAM)]
    pub(super) seam_side: Edge,
    /// Height of the seal's centre as part of the page's height, from below 高度，页底为 0，页顶为 1
    #[arg(long, value_name = "0..1", requires = "seam", default_value_t = 0.5, value_parser = part, help_heading = SEAM)]
    pub(super) seam_at: f64,
    /// Most pages that share one seal [default: as many as can be] 每枚印章最多跨多少页
    #[arg(long, value_name = "N", requires = "seam", value_parser = clap::value_parser!(u16).range(2..), help_heading = SEAM)]
    pub(super) seam_group: Option<u16>,
    /// Only odd pages 只盖奇数页
    #[arg(long, requires = "seam", conflicts_with = "seam_even", help_heading = SEAM)]
    pub(super) seam_odd: bool,
    /// Only even pages 只盖偶数页
    #[arg(long, requires = "seam", help_heading = SEAM)]
    pub(super) seam_even: bool,

    /// The date of stamping; under the seal where no place is given 盖章日期，不写位置时在印章下方
    #[arg(long, value_name = "PAGE@X,Y", num_args = 0..=1, value_parser = spot, help_heading = CONTENT)]
    pub(super) date: Option<Option<Spot>>,
    /// Fill a form field; may be repeated 填写表单域
    #[arg(long = "fill", value_name = "NAME=VALUE", value_parser = pair_of, help_heading = CONTENT)]
    pub(super) fills: Vec<(String, String)>,
    /// The font for Chinese values and dates (TrueType, OpenType); else one of this computer's 中文字体文件
    #[arg(long, value_name = "FONT", help_heading = CONTENT)]
    pub(super) font: Option<PathBuf>,
    /// Why it is signed 签署原因
    #[arg(long, help_heading = CONTENT)]
    pub(super) reason: Option<String>,

    /// Have this authority prove the time of each stamp (PAdES B-T); if it can not be had the stamp is kept without 时间戳服务的网址
    #[arg(long, value_name = "URL", help_heading = TIME)]
    pub(super) timestamp: Option<String>,
    /// How many seconds the authority may take for an answer 等待应答的秒数
    #[arg(long, value_name = "SECONDS", requires = "timestamp", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=600), help_heading = TIME)]
    pub(super) patience: u16,

    /// Read the PIN from this file descriptor instead of a window, one line for each consent; for automation only 从文件描述符读取 PIN
    #[arg(long, value_name = "N", help_heading = KEY)]
    pub(super) pin_fd: Option<i32>,
    /// Read the documents' password from this file descriptor 从文件描述符读取打开密码
    #[arg(long, value_name = "N", help_heading = KEY)]
    pub(super) password_fd: Option<i32>,
    /// The certificate, by its id from `status` 证书编号
    #[arg(long, value_name = "ID", help_heading = KEY)]
    pub(super) certificate: Option<CertificateId>,
    /// The seal, by its id from `status` 印章编号
    #[arg(long, value_name = "ID", help_heading = KEY)]
    pub(super) seal: Option<SealId>,
    /// Only the key with this label or serial number 只用此名称或序列号的 USB Key
    #[arg(long, value_name = "LABEL", help_heading = KEY)]
    pub(super) token: Option<String>,
}

const PLACE: &str = "Place 位置";
const SEAM: &str = "Riding seam 骑缝章";
const CONTENT: &str = "Date, form, reason 日期、表单、原因";
const TIME: &str = "Timestamp 时间戳";
const KEY: &str = "Key, password 密钥和密码";

/// An edge of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Edge {
    Left,
    Right,
}

/// Two lengths in mm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// Which places of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nth(pub(super) Which);

/// A place on one or several pages.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spot {
    pub(super) pages: String,
    pub(super) at: Point,
}

fn point(text: &str) -> Result<Point, String> {
    let parsed = text.split_once(',').and_then(|(x, y)| Some(Point { x: x.trim().parse().ok()?, y: y.trim().parse().ok()? }));
    parsed.filter(|point| point.x.is_finite() && point.y.is_finite()).ok_or_else(|| String::from("X,Y in mm"))
}

fn spot(text: &str) -> Result<Spot, String> {
    let (pages, at) = text.split_once('@').filter(|(pages, _)| !pages.is_empty()).ok_or("PAGE@X,Y")?;
    Ok(Spot { pages: pages.to_owned(), at: point(at)? })
}

fn which(text: &str) -> Result<Nth, String> {
    match text {
        "first" => Ok(Which::First),
        "last" => Ok(Which::Last),
        "all" => Ok(Which::All),
        number => number.parse().ok().filter(|number| *number > 0).map(Which::Nth).ok_or_else(|| String::from("a number from 1, first, last or all")),
    }
    .map(Nth)
}

fn part(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|part| (0.0..=1.0).contains(part)).ok_or_else(|| String::from("0 to 1"))
}

fn pair_of(text: &str) -> Result<(String, String), String> {
    text.split_once('=').filter(|(name, _)| !name.is_empty()).map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| String::from("NAME=VALUE"))
}
