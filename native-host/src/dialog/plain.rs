//! Programs that take their text as arguments and print what was typed: zenity, kdialog, and AppleScript on macOS.
//! The arguments hold the consent text, which the person's own programs may see, and never a PIN.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use sealbridge_protocol::failure::{Code, Failure};
use zeroize::Zeroizing;

use super::{Given, Kind, Program, Refusal};
use crate::consent::Prompt;
use crate::pin::{PIN_MAX, Pin};
use crate::platform;
use crate::stop::{Stop, Waited};

/// What a window needs to find the desktop, its language and its input method; nothing else is passed on.
const DESKTOP_VARIABLES: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "PATH",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "TMPDIR",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_TYPE",
    "XDG_SESSION_ID",
    "XDG_CURRENT_DESKTOP",
    "XDG_DATA_DIRS",
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "XMODIFIERS",
    "GTK_IM_MODULE",
    "QT_IM_MODULE",
    "GTK_THEME",
    "GDK_SCALE",
    "GDK_DPI_SCALE",
    "QT_SCALE_FACTOR",
    "QT_QPA_PLATFORMTHEME",
    "DESKTOP_SESSION",
    "KDE_FULL_SESSION",
    "KDE_SESSION_VERSION",
    "SystemRoot",
    "SystemDrive",
    "windir",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramData",
];

/// The program with the desktop's variables only, and with a locale that can show Chinese.
pub(super) fn command(program: &Program) -> Command {
    let mut command = Command::new(&program.path);
    command.env_clear();
    command.envs(DESKTOP_VARIABLES.iter().filter_map(|name| std::env::var_os(name).map(|value| (*name, value))));
    let speaks_utf8 = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(std::env::var_os).next().is_some_and(|locale| {
        let locale = locale.to_string_lossy().to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    if cfg!(unix) && !speaks_utf8 {
        command.env_remove("LC_ALL").env("LC_CTYPE", "C.UTF-8");
    }
    command
}

/// Shows all pages and takes the PIN, or only the agreement.
///
/// # Errors
/// [`Refusal`].
pub fn ask(program: &Program, prompt: &Prompt, with_pin: bool, stop: &Stop) -> Result<Given, Refusal> {
    let (last, pages) = prompt.pages.split_last().ok_or_else(|| Refusal::Broken("no text".into()))?;
    for page in pages {
        run(program, &arguments(program.kind, prompt, page, prompt.next, false), stop)?;
    }
    let last = match &prompt.warning {
        Some(warning) => format!("{warning}\n\n{last}"),
        None => last.clone(),
    };
    let typed = run(program, &arguments(program.kind, prompt, &last, prompt.agree, with_pin), stop)?;
    if with_pin { Ok(Given::Pin(Pin::new(&typed)?)) } else { Ok(Given::Agreement) }
}

fn arguments(kind: Kind, prompt: &Prompt, text: &str, agree: &str, with_pin: bool) -> Vec<String> {
    match kind {
        // kdialog reads a backslash and an n as a line end: a page's account name must not add lines to the consent.
        Kind::Kdialog if with_pin => ["--title", &prompt.title, "--password", &text.replace('\\', "\\\\")].map(str::to_owned).to_vec(),
        Kind::Kdialog => {
            ["--title", &prompt.title, "--yes-label", agree, "--no-label", prompt.cancel, "--yesno", &text.replace('\\', "\\\\")].map(str::to_owned).to_vec()
        }
        #[cfg(target_os = "macos")]
        Kind::Osascript => super::macos::arguments(prompt, text, agree, with_pin),
        // zenity undoes C escapes in its texts and reads an underscore as a shortcut only in buttons.
        _ if with_pin => [
            "--entry",
            "--hide-text",
            "--width=480",
            "--title",
            &prompt.title,
            "--ok-label",
            agree,
            "--cancel-label",
            prompt.cancel,
            "--text",
            &text.replace('\\', "\\\\"),
        ]
        .map(str::to_owned)
        .to_vec(),
        _ => [
            "--question",
            "--no-markup",
            "--width=480",
            "--title",
            &prompt.title,
            "--ok-label",
            agree,
            "--cancel-label",
            prompt.cancel,
            "--text",
            &text.replace('\\', "\\\\"),
        ]
        .map(str::to_owned)
        .to_vec(),
    }
}

/// Runs one window to its end; exit 0 is agreement, 1 is cancelling, anything else means that there was no window.
fn run(program: &Program, arguments: &[String], stop: &Stop) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut command = command(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    platform::tie(&mut command);
    let mut child = command.spawn().map_err(|error| Refusal::Broken(error.to_string()))?;
    let (sender, ended) = mpsc::channel();
    if let Some(mut from_window) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut typed = Zeroizing::new(vec![0; PIN_MAX.saturating_add(2)]);
            let mut length = 0_usize;
            while let Some(room) = typed.get_mut(length..).filter(|room| !room.is_empty()) {
                match from_window.read(room) {
                    Ok(0) | Err(_) => break,
                    Ok(more) => length = length.saturating_add(more),
                }
            }
            typed.truncate(length);
            let _ = sender.send(typed);
        });
    }
    let waited = stop.wait(&ended, Duration::MAX);
    let Ok(Waited::Got(mut typed)) = waited else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(waited.err().unwrap_or_else(|| Failure::new(Code::Cancelled)).into());
    };
    let status = child.wait().map_err(|error| Refusal::Broken(error.to_string()))?;
    if typed.last() == Some(&b'\n') {
        typed.pop();
    }
    match status.code() {
        Some(0) => Ok(typed),
        Some(1) => Err(Failure::new(Code::Cancelled).into()),
        Some(5) if program.kind == Kind::Zenity => Err(Failure::new(Code::TimedOut).into()),
        code => Err(Refusal::Broken(format!("exit {code:?}"))),
    }
}
