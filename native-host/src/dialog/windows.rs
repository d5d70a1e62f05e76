//! Windows: the system's credential window. This file is the other end of [`super::assuan`]: the host starts itself as
//! `sealbridge pin-window`, so that a window which hangs can be killed and all platforms are asked the same way.
//!
//! The user name in the window is fixed; only the password field is read, as the PIN.

use std::io::{self, BufRead, Write};
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_CANCELLED, ERROR_SUCCESS};
use windows_sys::Win32::Security::Credentials::{
    CREDUI_INFOW, CREDUIWIN_GENERIC, CREDUIWIN_IN_CRED_ONLY, CredPackAuthenticationBufferW, CredUIPromptForWindowsCredentialsW, CredUnPackAuthenticationBufferW,
};
use zeroize::Zeroizing;

const CANCELLED: &str = "ERR 83886179 Operation cancelled";
const FAILED: &str = "ERR 83886081 No window";

/// Serves one window over standard input and output.
///
/// # Errors
/// What the pipes say.
pub fn serve() -> io::Result<()> {
    let (mut title, mut text, mut warning) = (String::new(), String::new(), String::new());
    let mut out = io::stdout().lock();
    writeln!(out, "OK")?;
    out.flush()?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let mut decoded = Vec::new();
        super::assuan::unescape_text(rest.as_bytes(), &mut decoded);
        let decoded = String::from_utf8_lossy(&decoded).into_owned();
        match command {
            "SETTITLE" => title = decoded,
            "SETDESC" => text = decoded,
            "SETERROR" => warning = decoded,
            "GETPIN" | "CONFIRM" => {
                let shown = if warning.is_empty() { text.clone() } else { format!("{warning}\n\n{text}") };
                match (command, show(&title, &shown)) {
                    ("GETPIN", Some(Ok(pin))) => {
                        let line = Zeroizing::new(format!("D {}\n", super::assuan::escaped(&pin)));
                        out.write_all(line.as_bytes())?;
                    }
                    (_, Some(Ok(_))) => {}
                    (_, Some(Err(_))) => {
                        writeln!(out, "{FAILED}")?;
                        out.flush()?;
                        continue;
                    }
                    (_, None) => {
                        writeln!(out, "{CANCELLED}")?;
                        out.flush()?;
                        continue;
                    }
                }
            }
            "BYE" => return Ok(()),
            _ => {}
        }
        writeln!(out, "OK")?;
        out.flush()?;
    }
    Ok(())
}

/// Shows the window; nothing when the person cancelled, an error number when there was no window.
#[allow(unsafe_code)] // the credential window has no safe form
fn show(title: &str, text: &str) -> Option<Result<Zeroizing<String>, u32>> {
    let wide = |text: &str| -> Vec<u16> { text.encode_utf16().chain([0]).collect() };
    let (title, text, mut user, mut empty) = (wide(title), wide(text), wide("USB Key"), wide(""));
    let mut packed = vec![0_u8; 1024];
    let mut packed_size = 1024_u32;
    let (mut package, mut save) = (0_u32, 0_i32);
    let (mut answer, mut answer_size): (*mut core::ffi::c_void, u32) = (ptr::null_mut(), 0);
    let info = CREDUI_INFOW {
        cbSize: u32::try_from(size_of::<CREDUI_INFOW>()).unwrap_or(0),
        hwndParent: ptr::null_mut(),
        pszMessageText: text.as_ptr(),
        pszCaptionText: title.as_ptr(),
        hbmBanner: ptr::null_mut(),
    };
    // SAFETY: all pointers are to buffers of this function that live past the calls, sizes are those of the buffers, strings end
    // with zero; `answer` is filled by the system and freed below.
    unsafe {
        if CredPackAuthenticationBufferW(0, user.as_mut_ptr(), empty.as_mut_ptr(), packed.as_mut_ptr(), &mut packed_size) == 0 {
            packed_size = 0;
        }
        let input = if packed_size == 0 { ptr::null() } else { packed.as_ptr().cast() };
        let shown = CredUIPromptForWindowsCredentialsW(
            &info,
            0,
            &mut package,
            input,
            packed_size,
            &mut answer,
            &mut answer_size,
            &mut save,
            CREDUIWIN_GENERIC | CREDUIWIN_IN_CRED_ONLY,
        );
        if shown == ERROR_CANCELLED {
            return None;
        }
        if shown != ERROR_SUCCESS {
            return Some(Err(shown));
        }
        let mut name = vec![0_u16; 512];
        let mut secret = Zeroizing::new(vec![0_u16; 512]);
        let (mut name_size, mut secret_size) = (512_u32, 512_u32);
        let done = CredUnPackAuthenticationBufferW(
            0,
            answer,
            answer_size,
            name.as_mut_ptr(),
            &mut name_size,
            ptr::null_mut(),
            ptr::null_mut(),
            secret.as_mut_ptr(),
            &mut secret_size,
        );
        // What the window gave holds the PIN: wiped before it is freed.
        ptr::write_bytes(answer.cast::<u8>(), 0, usize::try_from(answer_size).unwrap_or(0));
        windows_sys::Win32::System::Com::CoTaskMemFree(answer);
        if done == 0 {
            return Some(Err(0));
        }
        let end = secret.iter().position(|unit| *unit == 0).unwrap_or(secret.len());
        Some(String::from_utf16(secret.get(..end).unwrap_or_default()).map(Zeroizing::new).map_err(|_| 0))
    }
}
