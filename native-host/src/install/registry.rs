//! The Windows registry: a key per browser whose default value is the manifest's path. Nothing else in it is touched.
#![allow(unsafe_code)] // the registry has no safe form

use std::io;
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_SUCCESS};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, KEY_WRITE, REG_OPTION_NON_VOLATILE, REG_SZ, RRF_RT_REG_SZ, RegCloseKey, RegCreateKeyExW, RegDeleteKeyW,
    RegGetValueW, RegSetValueExW,
};

use super::Level;

pub(super) fn set(level: Level, key: &str, manifest: &Path) -> io::Result<()> {
    let (name, value) = (wide(key), manifest.as_os_str().encode_wide().chain([0]).collect::<Vec<u16>>());
    let size = u32::try_from(value.len().saturating_mul(2)).map_err(io::Error::other)?;
    let mut opened: HKEY = ptr::null_mut();
    // SAFETY: the strings end with zero and live past the calls, the size is that of the value in bytes, and the key that the
    // first call opens is closed once.
    unsafe {
        done(RegCreateKeyExW(hive(level), name.as_ptr(), 0, ptr::null(), REG_OPTION_NON_VOLATILE, KEY_WRITE, ptr::null(), &mut opened, ptr::null_mut()))?;
        let set = RegSetValueExW(opened, ptr::null(), 0, REG_SZ, value.as_ptr().cast(), size);
        RegCloseKey(opened);
        done(set)
    }
}

pub(super) fn delete(level: Level, key: &str) -> io::Result<bool> {
    let name = wide(key);
    // SAFETY: the string ends with zero and lives past the call.
    let deleted = unsafe { RegDeleteKeyW(hive(level), name.as_ptr()) };
    match deleted {
        ERROR_FILE_NOT_FOUND => Ok(false),
        other => done(other).map(|()| true),
    }
}

pub(super) fn get(level: Level, key: &str) -> Option<PathBuf> {
    let name = wide(key);
    let mut value = vec![0_u16; 1024];
    let mut size = 2048_u32;
    // SAFETY: the string ends with zero, the size is that of the buffer in bytes, both live past the call.
    let got = unsafe { RegGetValueW(hive(level), name.as_ptr(), ptr::null(), RRF_RT_REG_SZ, ptr::null_mut(), value.as_mut_ptr().cast(), &mut size) };
    if got != ERROR_SUCCESS {
        return None;
    }
    let end = value.iter().position(|unit| *unit == 0)?;
    Some(PathBuf::from(std::ffi::OsString::from_wide(value.get(..end)?)))
}

fn hive(level: Level) -> HKEY {
    match level {
        Level::User => HKEY_CURRENT_USER,
        Level::System => HKEY_LOCAL_MACHINE,
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn done(status: u32) -> io::Result<()> {
    match status {
        ERROR_SUCCESS => Ok(()),
        other => Err(io::Error::from_raw_os_error(i32::try_from(other).unwrap_or(i32::MAX))),
    }
}
