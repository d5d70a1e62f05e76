//! A font for Chinese values and dates: the file that was named, else one that this computer has in its usual places.
//!
//! Of a collection (`.ttc`) only one face is taken, the one for simplified Chinese where the names tell it, and of a face only
//! the tables that text needs. A font whose maker forbids embedding is passed over. It draws nothing and installs nothing.
//!
//! Source: ISO/IEC 14496-22 (Open Font Format): 4.3 offset tables and collections, 5.2.6 `name`, 5.2.7 `OS/2` (`fsType`).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sealbridge_protocol::failure::{Code, Failure};

use crate::file::{name, read_exact_at};
use crate::places;

/// Largest font that is read.
const FONT_MAX: u64 = 64 << 20;
/// Most tables of one face, most faces of one file.
const TABLES_MAX: u16 = 256;
const FACES_MAX: u32 = 64;
/// Most files and the deepest folder that are looked at.
const FILES_MAX: usize = 20_000;
const DEPTH_MAX: usize = 5;

/// Files that hold a font for Chinese, best first, in small letters.
const KNOWN: &[&str] = &[
    "notosanssc-regular.ttf",
    "notosanssc-regular.otf",
    "notosanscjksc-regular.otf",
    "sourcehansanssc-regular.otf",
    "sourcehansanscn-regular.otf",
    "notosanscjk-regular.ttc",
    "sourcehansans-regular.ttc",
    "sourcehansans.ttc",
    "wqy-microhei.ttc",
    "wqy-microhei.ttf",
    "wqy-zenhei.ttc",
    "simsun.ttc",
    "msyh.ttc",
    "msyh.ttf",
    "simhei.ttf",
    "simfang.ttf",
    "deng.ttf",
    "pingfang.ttc",
    "hiragino sans gb.ttc",
    "stheiti light.ttc",
    "songti.ttc",
    "arial unicode.ttf",
    "notoserifcjk-regular.ttc",
    "notosanscjk-vf.otf.ttc",
    "fandolhei-regular.otf",
    "droidsansfallbackfull.ttf",
    "droidsansfallback.ttf",
    "uming.ttc",
    "ukai.ttc",
];

/// What is named where none is found.
const LOOKED_FOR: &str = "Noto Sans CJK / 思源黑体, WenQuanYi / 文泉驿, 宋体, 微软雅黑, PingFang";

/// Tables that drawing and embedding text needs.
const NEEDED: &[&[u8; 4]] =
    &[b"cmap", b"head", b"hhea", b"hmtx", b"maxp", b"name", b"OS/2", b"post", b"loca", b"glyf", b"cvt ", b"fpgm", b"prep", b"CFF ", b"VORG", b"vhea", b"vmtx"];

/// Reads a font that was named.
///
/// # Errors
/// `read-failed` where it cannot be read or is no font.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    face(path).map_err(|error| Failure::new(Code::ReadFailed).with("name", name(path)).with("detail", error))
}

/// A Chinese font of this computer.
///
/// # Errors
/// `font-missing`.
pub fn of_system() -> Result<Vec<u8>, Failure> {
    among(&folders())
}

fn among(folders: &[PathBuf]) -> Result<Vec<u8>, Failure> {
    let mut found: Vec<(usize, PathBuf)> = Vec::new();
    let mut left = FILES_MAX;
    for folder in folders {
        look(folder, DEPTH_MAX, &mut left, &mut found);
    }
    found.sort();
    found.iter().find_map(|(_, path)| face(path).ok()).ok_or_else(|| Failure::new(Code::FontMissing).with("fonts", LOOKED_FOR))
}

/// Where the system and its user keep fonts.
fn folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if cfg!(windows) {
        folders.extend(places::variable("windir").map(|folder| folder.join("Fonts")));
        folders.extend(places::variable("LOCALAPPDATA").map(|folder| folder.join(r"Microsoft\Windows\Fonts")));
    } else if cfg!(target_os = "macos") {
        folders.extend(["/System/Library/Fonts", "/Library/Fonts"].map(PathBuf::from));
        folders.extend(places::home().map(|home| home.join("Library/Fonts")));
    } else {
        folders.extend(["/usr/share/fonts", "/usr/local/share/fonts"].map(PathBuf::from));
        folders.extend(places::variable("XDG_DATA_HOME").or_else(|| places::home().map(|home| home.join(".local/share"))).map(|data| data.join("fonts")));
        folders.extend(places::home().map(|home| home.join(".fonts")));
    }
    folders
}

fn look(folder: &Path, depth: usize, left: &mut usize, found: &mut Vec<(usize, PathBuf)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if *left == 0 {
            return;
        }
        *left = left.saturating_sub(1);
        let path = entry.path();
        if path.is_dir() {
            if depth > 0 {
                look(&path, depth.saturating_sub(1), left, found);
            }
        } else if let Some(rank) = KNOWN.iter().position(|known| entry.file_name().to_string_lossy().to_lowercase() == *known) {
            found.push((rank, path));
        }
    }
}

/// One face of a font file, as a font file of its own.
fn face(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut start = [0; 12];
    read_exact_at(&file, 0, &mut start)?;
    let offsets: Vec<u64> = match &start {
        [b't', b't', b'c', b'f', ..] => {
            let count = u32_at(&start, 8)?;
            if count == 0 || count > FACES_MAX {
                return Err(malformed());
            }
            (0..u64::from(count))
                .map(|number| Ok(u64::from(u32_at(&read_at::<4>(&file, number.saturating_mul(4).saturating_add(12))?, 0)?)))
                .collect::<io::Result<_>>()?
        }
        [0, 1, 0, 0, ..] | [b'O', b'T', b'T', b'O', ..] | [b't', b'r', b'u', b'e', ..] => vec![0],
        _ => return Err(malformed()),
    };
    let faces = offsets.into_iter().map(|offset| Face::read(&file, length, offset)).collect::<io::Result<Vec<_>>>()?;
    let simplified = faces.iter().position(|face| face.is_simplified(&file)).unwrap_or(0);
    let face = faces.get(simplified).ok_or_else(malformed)?;
    if face.forbids_embedding(&file) {
        return Err(io::Error::other("the font may not be embedded"));
    }
    face.assemble(&file)
}

/// The table directory of one face.
struct Face {
    kind: [u8; 4],
    tables: Vec<Table>,
}

#[derive(Clone, Copy)]
struct Table {
    tag: [u8; 4],
    checksum: [u8; 4],
    offset: u64,
    length: u64,
}

impl Face {
    fn read(file: &File, end: u64, offset: u64) -> io::Result<Self> {
        let head = read_at::<12>(file, offset)?;
        let count = u16_at(&head, 4)?;
        if count == 0 || count > TABLES_MAX {
            return Err(malformed());
        }
        let mut tables = Vec::with_capacity(count.into());
        let mut sum = 0_u64;
        for number in 0..u64::from(count) {
            let record = read_at::<16>(file, offset.saturating_add(12).saturating_add(number.saturating_mul(16)))?;
            let [a, b, c, d, e, f, g, h, ..] = record;
            let table = Table { tag: [a, b, c, d], checksum: [e, f, g, h], offset: u32_at(&record, 8)?.into(), length: u32_at(&record, 12)?.into() };
            if table.offset.saturating_add(table.length) > end {
                return Err(malformed());
            }
            if NEEDED.contains(&&table.tag) {
                sum = sum.saturating_add(table.length);
                tables.push(table);
            }
        }
        let [a, b, c, d, ..] = head;
        if sum > FONT_MAX || !tables.iter().any(|table| table.tag == *b"cmap") {
            return Err(malformed());
        }
        Ok(Self { kind: [a, b, c, d], tables })
    }

    fn table(&self, file: &File, tag: [u8; 4], most: u64) -> Option<Vec<u8>> {
        let table = self.tables.iter().find(|table| table.tag == tag)?;
        let mut bytes = vec![0; usize::try_from(table.length.min(most)).ok()?];
        read_exact_at(file, table.offset, &mut bytes).ok()?;
        Some(bytes)
    }

    /// The family's name says that it is for simplified Chinese.
    fn is_simplified(&self, file: &File) -> bool {
        let Some(names) = self.table(file, *b"name", 1 << 20) else { return false };
        families(&names).iter().any(|family| family.split(' ').any(|word| matches!(word, "SC" | "CN" | "GB")))
    }

    /// `fsType` says restricted licence, or no subsetting.
    fn forbids_embedding(&self, file: &File) -> bool {
        self.table(file, *b"OS/2", 16).and_then(|table| u16_at(&table, 8).ok()).is_some_and(|kind| kind & 0xf == 2 || kind & 0x100 != 0)
    }

    /// The face as a file: header, directory, tables on multiples of four bytes.
    fn assemble(&self, file: &File) -> io::Result<Vec<u8>> {
        let count = u16::try_from(self.tables.len()).map_err(|_| malformed())?;
        let power = count.checked_ilog2().unwrap_or(0);
        let range = 16_u16.checked_shl(power).ok_or_else(malformed)?;
        let mut font = self.kind.to_vec();
        for number in [count, range, u16::try_from(power).map_err(|_| malformed())?, count.saturating_mul(16).saturating_sub(range)] {
            font.extend_from_slice(&number.to_be_bytes());
        }
        let mut at = self.tables.len().saturating_mul(16).saturating_add(12);
        for table in &self.tables {
            let length = usize::try_from(table.length).map_err(|_| malformed())?;
            font.extend_from_slice(&table.tag);
            font.extend_from_slice(&table.checksum);
            for number in [at, length] {
                font.extend_from_slice(&u32::try_from(number).map_err(|_| malformed())?.to_be_bytes());
            }
            at = at.saturating_add(length.next_multiple_of(4));
        }
        font.reserve_exact(at.saturating_sub(font.len()));
        for table in &self.tables {
            let start = font.len();
            let length = usize::try_from(table.length).map_err(|_| malformed())?;
            font.resize(start.saturating_add(length.next_multiple_of(4)), 0);
            let part = font.get_mut(start..start.saturating_add(length)).ok_or_else(malformed)?;
            read_exact_at(file, table.offset, part)?;
        }
        Ok(font)
    }
}

/// The family names (ids 1 and 16) of a `name` table that are written in UTF-16.
fn families(names: &[u8]) -> Vec<String> {
    let read = || -> io::Result<Vec<String>> {
        let (count, texts) = (usize::from(u16_at(names, 2)?), usize::from(u16_at(names, 4)?));
        let mut families = Vec::new();
        for number in 0..count {
            let record = number.saturating_mul(12).saturating_add(6);
            let field = |index: usize| u16_at(names, record.saturating_add(index.saturating_mul(2)));
            let (platform, id, length, offset) = (field(0)?, field(3)?, usize::from(field(4)?), usize::from(field(5)?));
            let start = texts.saturating_add(offset);
            if matches!(platform, 0 | 3)
                && matches!(id, 1 | 16)
                && let Some(text) = names.get(start..start.saturating_add(length))
            {
                let units: Vec<u16> = text.chunks_exact(2).map(|pair| u16_at(pair, 0)).collect::<io::Result<_>>()?;
                families.push(String::from_utf16_lossy(&units));
            }
        }
        Ok(families)
    };
    read().unwrap_or_default()
}

fn read_at<const N: usize>(file: &File, offset: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    read_exact_at(file, offset, &mut bytes)?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> io::Result<u16> {
    let pair = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>()).ok_or_else(malformed)?;
    Ok(u16::from_be_bytes(*pair))
}

fn u32_at(bytes: &[u8], at: usize) -> io::Result<u32> {
    let four = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(malformed)?;
    Ok(u32::from_be_bytes(*four))
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no usable font file")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A font with a `cmap`, an `OS/2` and a `name` table; only what this file reads is in them.
    fn font(family: &str, fs_type: u16, base: u32) -> Vec<u8> {
        let text: Vec<u8> = family.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let length = u16::try_from(text.len()).unwrap().to_be_bytes();
        let names = [&[0, 0, 0, 1, 0, 18, 0, 3, 0, 1, 4, 9, 0, 1][..], &length, &[0, 0], &text].concat();
        let os2 = [&[0; 8][..], &fs_type.to_be_bytes(), &[0; 6]].concat();
        let tables: [(&[u8; 4], Vec<u8>); 4] = [(b"OS/2", os2), (b"cmap", b"characters".to_vec()), (b"junk", vec![9; 5]), (b"name", names)];
        let mut file = vec![0, 1, 0, 0, 0, 4, 0, 64, 0, 2, 0, 0];
        let mut at = base + 12 + 16 * 4;
        for (tag, table) in &tables {
            file.extend_from_slice(*tag);
            file.extend([1, 2, 3, 4]);
            let length = u32::try_from(table.len()).unwrap();
            file.extend(at.to_be_bytes().into_iter().chain(length.to_be_bytes()));
            at += length;
        }
        tables.into_iter().for_each(|(_, table)| file.extend(table));
        file
    }

    fn written(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truetype/here").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    fn collection(families: &[&str]) -> Vec<u8> {
        let start = 12 + 4 * families.len();
        let (mut offsets, mut fonts) = (Vec::new(), Vec::new());
        for family in families {
            let offset = u32::try_from(start + fonts.len()).unwrap();
            offsets.extend(offset.to_be_bytes());
            fonts.extend(font(family, 0, offset));
        }
        [&b"ttcf"[..], &[0, 1, 0, 0], &u32::try_from(families.len()).unwrap().to_be_bytes(), &offsets, &fonts].concat()
    }

    #[test]
    fn of_a_collection_the_simplified_face_is_taken_with_its_needed_tables() {
        let check = |families: &[&str], wanted: &str| {
            let (_folder, path) = written("a.ttc", &collection(families));
            let font = read(&path).unwrap();
            assert_eq!(font.get(..12), Some(&[0, 1, 0, 0, 0, 3, 0, 32, 0, 1, 0, 16][..]));
            let (_folder, path) = written("b.ttf", &font);
            let file = File::open(path).unwrap();
            let face = Face::read(&file, font.len() as u64, 0).unwrap();
            assert_eq!(super::families(&face.table(&file, *b"name", 1000).unwrap()), [wanted]);
            assert_eq!(face.table(&file, *b"cmap", 1000).unwrap(), b"characters");
            assert!(face.table(&file, *b"junk", 1000).is_none());
        };
        check(&["Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK TC"], "Noto Sans CJK SC");
        check(&["WenQuanYi Micro Hei", "WenQuanYi Micro Hei Mono"], "WenQuanYi Micro Hei");
    }

    #[test]
    fn the_best_known_font_is_found_and_one_that_may_not_be_embedded_is_passed_over() {
        let (folder, _) = written("wqy-microhei.ttc", &collection(&["WenQuanYi Micro Hei"]));
        let place = folder.path().join("truetype");
        fs::write(place.join("Arial.ttf"), font("Arial", 0, 0)).unwrap();
        assert_eq!(among(&[PathBuf::from("/nowhere"), folder.path().to_owned()]).unwrap().len() % 4, 0);
        fs::write(place.join("NotoSansSC-Regular.ttf"), font("Noto Sans SC", 2, 0)).unwrap();
        let found = among(&[folder.path().to_owned()]).unwrap();
        assert!(found.windows(8).any(|part| part == [0, b'W', 0, b'e', 0, b'n', 0, b'Q']));
        fs::write(place.join("notosanssc-regular.otf"), font("Noto Sans SC", 8, 0)).unwrap();
        let found = among(&[folder.path().to_owned()]).unwrap();
        assert!(found.windows(8).any(|part| part == [0, b'N', 0, b'o', 0, b't', 0, b'o']));
        assert_eq!(among(&[place.join("here/none")]).unwrap_err().code, Code::FontMissing);
    }

    #[test]
    fn what_is_no_font_is_refused() {
        let whole = collection(&["A", "B"]);
        for length in 0..whole.len() {
            let (_folder, path) = written("a.ttc", &whole[..length]);
            assert_eq!(read(&path).map(drop).map_err(|failure| failure.code), Err(Code::ReadFailed), "{length}");
        }
        for place in 0..120 {
            let mut broken = whole.clone();
            broken[place] ^= 0xff;
            let (_folder, path) = written("a.ttc", &broken);
            let _ = read(&path);
        }
    }
}
