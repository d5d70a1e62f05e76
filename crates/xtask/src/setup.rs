//! What building, demo and tests need from the machine. As root on Debian or Ubuntu it installs the missing packages; elsewhere it
//! names each one with the command that gets it. It changes nothing else on the machine and downloads no programs by itself.

use std::path::Path;
use std::process::Command;

use clap::Args;

use crate::steps::{Failure, failed, run_loud};
use crate::tree;

/// Options of `cargo xtask setup`.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Only say what is missing; install nothing.
    #[arg(long)]
    pub check: bool,
}

/// What the parts are needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Compiling, including the soft token.
    Build,
    /// Driving or showing Chromium.
    Chromium,
    /// Driving or showing Firefox.
    Firefox,
    /// The second token.
    Softhsm,
    /// Programs of others that judge what we made, and readable Chinese on screenshots.
    Judges,
    /// Printing a form before it is stamped by hand.
    Paper,
    /// A PIN window for a person at a display.
    Window,
    /// The tests that type into a real PIN window.
    Tests,
}

struct Need {
    what: &'static str,
    purpose: Purpose,
    found: fn() -> bool,
    /// Package names for apt (alternatives in order), dnf, pacman and brew; empty where there is none.
    apt: &'static [&'static str],
    dnf: &'static str,
    pacman: &'static str,
    brew: &'static str,
}

const NEEDS: &[Need] = &[
    Need {
        what: "C compiler",
        purpose: Purpose::Build,
        found: || has(&["cc", "gcc", "clang"]),
        apt: &["build-essential"],
        dnf: "gcc",
        pacman: "base-devel",
        brew: "llvm",
    },
    Need {
        what: "pkg-config",
        purpose: Purpose::Build,
        found: || has(&["pkg-config", "pkgconf"]),
        apt: &["pkg-config"],
        dnf: "pkgconf-pkg-config",
        pacman: "pkgconf",
        brew: "pkgconf",
    },
    Need {
        what: "libclang (bindings of the soft token)",
        purpose: Purpose::Build,
        found: has_libclang,
        apt: &["libclang-dev"],
        dnf: "clang-devel",
        pacman: "clang",
        brew: "llvm",
    },
    Need {
        what: "OpenSSL headers",
        purpose: Purpose::Build,
        found: || has_header("openssl", "openssl/evp.h"),
        apt: &["libssl-dev"],
        dnf: "openssl-devel",
        pacman: "openssl",
        brew: "openssl@3",
    },
    Need {
        what: "SQLite headers",
        purpose: Purpose::Build,
        found: || has_header("sqlite3", "sqlite3.h"),
        apt: &["libsqlite3-dev"],
        dnf: "sqlite-devel",
        pacman: "sqlite",
        brew: "sqlite",
    },
    Need {
        what: "Chromium",
        purpose: Purpose::Chromium,
        found: || has(&["chromium", "chromium-browser", "google-chrome"]),
        apt: &["chromium", "chromium-browser"],
        dnf: "chromium",
        pacman: "chromium",
        brew: "chromium",
    },
    Need {
        what: "ChromeDriver",
        purpose: Purpose::Chromium,
        found: || has(&["chromedriver"]) || Path::new("/usr/lib/chromium/chromedriver").exists(),
        apt: &["chromium-driver", "chromium-chromedriver"],
        dnf: "chromedriver",
        pacman: "chromium",
        brew: "chromedriver",
    },
    Need {
        what: "Firefox",
        purpose: Purpose::Firefox,
        found: || has(&["firefox-esr", "firefox"]),
        apt: &["firefox-esr", "firefox"],
        dnf: "firefox",
        pacman: "firefox",
        brew: "firefox",
    },
    Need {
        what: "SoftHSM 2",
        purpose: Purpose::Softhsm,
        found: || softhsm_module().is_some(),
        apt: &["softhsm2"],
        dnf: "softhsm",
        pacman: "softhsm",
        brew: "softhsm",
    },
    Need {
        what: "pdfsig (Poppler)",
        purpose: Purpose::Judges,
        found: || has(&["pdfsig"]) && has(&["pdftoppm"]),
        apt: &["poppler-utils"],
        dnf: "poppler-utils",
        pacman: "poppler",
        brew: "poppler",
    },
    Need {
        what: "pdftoppm (Poppler)",
        purpose: Purpose::Paper,
        found: || has(&["pdftoppm"]),
        apt: &["poppler-utils"],
        dnf: "poppler-utils",
        pacman: "poppler",
        brew: "poppler",
    },
    Need {
        what: "certutil (NSS)",
        purpose: Purpose::Judges,
        found: || has(&["certutil"]),
        apt: &["libnss3-tools"],
        dnf: "nss-tools",
        pacman: "nss",
        brew: "nss",
    },
    Need { what: "OpenSSL", purpose: Purpose::Judges, found: || has(&["openssl"]), apt: &["openssl"], dnf: "openssl", pacman: "openssl", brew: "openssl@3" },
    Need {
        what: "a Chinese font",
        purpose: Purpose::Judges,
        found: has_chinese_font,
        apt: &["fonts-wqy-microhei", "fonts-noto-cjk"],
        dnf: "google-noto-sans-cjk-fonts",
        pacman: "noto-fonts-cjk",
        brew: "",
    },
    Need {
        what: "a PIN window (pinentry, zenity or kdialog)",
        purpose: Purpose::Window,
        found: has_pin_window,
        apt: &["pinentry-gtk2", "pinentry-gnome3"],
        dnf: "pinentry-gnome3",
        pacman: "pinentry",
        brew: "pinentry-mac",
    },
    Need { what: "Xvfb", purpose: Purpose::Tests, found: || has(&["Xvfb"]), apt: &["xvfb"], dnf: "xorg-x11-server-Xvfb", pacman: "xorg-server-xvfb", brew: "" },
    Need { what: "xdotool", purpose: Purpose::Tests, found: || has(&["xdotool"]), apt: &["xdotool"], dnf: "xdotool", pacman: "xdotool", brew: "" },
    Need {
        what: "pinentry-gtk-2",
        purpose: Purpose::Tests,
        found: || has(&["pinentry-gtk-2"]),
        apt: &["pinentry-gtk2"],
        dnf: "pinentry-gtk",
        pacman: "pinentry",
        brew: "",
    },
    Need {
        what: "PostgreSQL server",
        purpose: Purpose::Tests,
        found: has_postgres,
        apt: &["postgresql"],
        dnf: "postgresql-server",
        pacman: "postgresql",
        brew: "postgresql",
    },
    Need { what: "qpdf", purpose: Purpose::Tests, found: || has(&["qpdf"]), apt: &["qpdf"], dnf: "qpdf", pacman: "qpdf", brew: "qpdf" },
];

/// Judges that are Python packages: the module, and what to install. Cases that need one skip visibly without it.
const PYTHON_JUDGES: &[(&str, &str)] = &[
    ("pyhanko", "pyhanko pyhanko-cli"),
    ("jwcrypto", "jwcrypto"),
    ("cryptography_vectors", "cryptography_vectors"),
    // pyasice asks for an older lxml than pyHanko does, so both come without what they ask for.
    ("esteid", "Django pytz attrs requests oscrypto esteid-certificates && python3 -m pip install --no-deps django-esteid==4.2 pyasice==1.2.0"),
];

/// `cargo xtask setup`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let all = [Purpose::Build, Purpose::Chromium, Purpose::Firefox, Purpose::Softhsm, Purpose::Judges, Purpose::Paper, Purpose::Window, Purpose::Tests];
    ensure(&all, options.check)?;
    name_python_judges();
    println!("Everything is there.");
    Ok(())
}

/// Makes sure that everything for `purposes` is there.
pub(crate) fn ensure(purposes: &[Purpose], check_only: bool) -> Result<(), Failure> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| purposes.contains(&need.purpose) && !(need.found)()).collect();
    if !missing.is_empty() {
        if check_only || !tree::is_debian() || !tree::is_root() {
            return failed(name_each(&missing));
        }
        apt(&missing)?;
        let still: Vec<&Need> = missing.into_iter().filter(|need| !(need.found)()).collect();
        if !still.is_empty() {
            return failed(name_each(&still));
        }
    }
    node()?;
    wasm_target()
}

/// Gets what is useful but not needed for `purposes`, where that can be done; otherwise says what is missing and goes on.
pub(crate) fn offer(purposes: &[Purpose]) {
    let missing = || -> Vec<&Need> { NEEDS.iter().filter(|need| purposes.contains(&need.purpose) && !(need.found)()).collect() };
    let wanted = missing();
    if !wanted.is_empty() && tree::is_debian() && tree::is_root() && apt(&wanted).is_ok() && missing().is_empty() {
        return;
    }
    for need in missing() {
        println!("not there, going on without: {} ({})", need.what, command_for(need));
    }
}

/// Says which judges in Python are missing; nothing is installed.
pub(crate) fn name_python_judges() {
    for (module, packages) in PYTHON_JUDGES {
        let found = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)";
        let there = Command::new("python3").args(["-c", found, module]).output().is_ok_and(|output| output.status.success());
        if !there {
            println!("not there, going on without: {module} (python3 -m pip install {packages})");
        }
    }
}

/// Where SoftHSM's module lies.
pub(crate) fn softhsm_module() -> Option<&'static str> {
    const PLACES: &[&str] = &[
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
        "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    ];
    PLACES.iter().copied().find(|place| Path::new(place).exists())
}

fn apt(missing: &[&Need]) -> Result<(), Failure> {
    println!("Installing for: {}", missing.iter().map(|need| need.what).collect::<Vec<_>>().join(", "));
    apt_get(&["update"])?;
    let mut packages = Vec::new();
    for need in missing {
        let Some(package) = need.apt.iter().find(|package| apt_knows(package)) else {
            return failed(format!("{}: apt knows none of {}", need.what, need.apt.join(", ")));
        };
        packages.push(*package);
    }
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    apt_get(&arguments)
}

/// apt-get that waits for another apt's lock and is tried once more: it can lose its temporary folder half-way.
fn apt_get(arguments: &[&str]) -> Result<(), Failure> {
    let attempt = || run_loud(Command::new("apt-get").args(["-q", "-o", "DPkg::Lock::Timeout=300"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive"));
    attempt().or_else(|_| attempt())
}

fn apt_knows(package: &str) -> bool {
    let Ok(output) = Command::new("apt-cache").args(["policy", package]).output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.contains("Candidate:") && !text.contains("Candidate: (none)")
}

/// One line per missing part, with the command that gets it on this machine.
fn name_each(missing: &[&Need]) -> String {
    let lines: Vec<String> = missing.iter().map(|need| format!("  {}: {}", need.what, command_for(need))).collect();
    format!("these are missing:\n{}", lines.join("\n"))
}

fn command_for(need: &Need) -> String {
    let sudo = if tree::is_root() { "" } else { "sudo " };
    if tree::is_debian() {
        return format!("{sudo}apt-get install -y {}", need.apt.iter().find(|package| apt_knows(package)).or(need.apt.first()).unwrap_or(&need.what));
    }
    for (manager, words, package) in [("dnf", "dnf install -y", need.dnf), ("pacman", "pacman -S --needed", need.pacman)] {
        if has(&[manager]) && !package.is_empty() {
            return format!("{sudo}{words} {package}");
        }
    }
    if has(&["brew"]) && !need.brew.is_empty() {
        return format!("brew install {}", need.brew);
    }
    String::from("install it with your system's package manager")
}

fn node() -> Result<(), Failure> {
    const HOW: &str = "Node.js 20 or newer with npm is needed: https://nodejs.org/ or your system's package manager";
    let version = Command::new("node").arg("--version").output().map_err(|_| Failure(HOW.into()))?;
    let text = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let major: u32 = text.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    if major < 20 {
        return failed(format!("{HOW}; this is {text}"));
    }
    if has(&["npm"]) { Ok(()) } else { failed(HOW) }
}

fn wasm_target() -> Result<(), Failure> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let Ok(listed) = Command::new("rustup").args(["target", "list", "--installed"]).output() else {
        // Rust from a distribution: cargo itself will say if the target is missing.
        return Ok(());
    };
    if String::from_utf8_lossy(&listed.stdout).lines().any(|line| line == TARGET) {
        return Ok(());
    }
    run_loud(Command::new("rustup").args(["target", "add", TARGET]))
}

fn has(names: &[&str]) -> bool {
    tree::on_path(names).is_some()
}

fn has_header(package: &str, header: &str) -> bool {
    Command::new("pkg-config").args(["--exists", package]).status().is_ok_and(|status| status.success())
        || ["/usr/include", "/usr/local/include", "/opt/homebrew/include"].iter().any(|folder| Path::new(folder).join(header).exists())
}

fn has_libclang() -> bool {
    if std::env::var_os("LIBCLANG_PATH").is_some() {
        return true;
    }
    let mut folders: Vec<std::path::PathBuf> =
        ["/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/opt/homebrew/opt/llvm/lib", "/usr/local/opt/llvm/lib"]
            .iter()
            .map(Into::into)
            .collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib") {
        folders.extend(versions.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("llvm-")).map(|entry| entry.path().join("lib")));
    }
    folders.iter().any(|folder| {
        std::fs::read_dir(folder).is_ok_and(|entries| {
            entries.flatten().any(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                name.starts_with("libclang.so") || name.starts_with("libclang-") || name == "libclang.dylib"
            })
        })
    })
}

/// Debian keeps the server's programs out of the search path.
fn has_postgres() -> bool {
    has(&["initdb"])
        || std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|versions| versions.flatten().any(|version| version.path().join("bin/initdb").exists()))
}

fn has_chinese_font() -> bool {
    if cfg!(any(target_os = "macos", windows)) {
        return true;
    }
    Command::new("fc-list").arg(":lang=zh").output().is_ok_and(|output| !output.stdout.is_empty())
}

fn has_pin_window() -> bool {
    cfg!(windows) || has(&["pinentry-gnome3", "pinentry-qt", "pinentry-gtk-2", "pinentry-mac", "zenity", "kdialog"])
}
