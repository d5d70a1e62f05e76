//! The host's configuration: which PKCS#11 modules, which dialog programs, and the developer switch.
//!
//! Modules are named by absolute path in a file, never by a message or a variable. A module file that everybody may write
//! to is refused before it is loaded. Nothing here loads one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sealbridge_pki::Certificate;
use sealbridge_protocol::failure::{Code, Failure};
use serde::Deserialize;

use crate::places;

/// Most modules in one configuration: each is a process.
pub const MODULES_MAX: usize = 16;

/// Most authorities.
pub const AUTHORITIES_MAX: usize = 16;
/// Largest certificate file that is read.
const CERTIFICATE_FILE_MAX: u64 = 256 * 1024;

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whether loopback `http` origins are served.
    #[serde(default)]
    pub developer: bool,
    /// The PKCS#11 modules.
    #[serde(default, rename = "module")]
    pub modules: Vec<Module>,
    /// The certification authorities whose grants are believed and whose certificates and seals are installed.
    #[serde(default, rename = "authority")]
    pub authorities: Vec<AuthorityConfig>,
    /// The window for consent and PIN.
    #[serde(default)]
    pub dialog: DialogConfig,
    /// Where it was read from; nothing when there is no file.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

/// One PKCS#11 module.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// What people call it.
    pub name: String,
    /// The shared library, by absolute path.
    pub path: PathBuf,
    /// The only variables of its own that the module's process gets.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// After how many wrong PINs in a row its tokens lock, where the vendor says so. PKCS#11 has no counter; with this the
    /// host tells an upper bound from the wrong PINs that it saw itself.
    #[serde(default)]
    pub tries: Option<u32>,
    /// Padding of RSA signatures.
    #[serde(default)]
    pub rsa: RsaPadding,
    /// After how many seconds of silence the module counts as hung and its process is ended; 1 to 60.
    #[serde(default = "patience")]
    pub patience: u16,
}

/// Below the ten seconds after which a person must have been told.
fn patience() -> u16 {
    8
}

/// RFC 8017: PKCS#1 v1.5 (RS256) or PSS (PS256).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RsaPadding {
    /// RS256; every token can do it.
    #[default]
    Pkcs1,
    /// PS256.
    Pss,
}

/// A certification authority.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityConfig {
    /// The PEM file of its issuing certificate, by absolute path; other certificates in it are passed over.
    pub certificate: PathBuf,
}

/// The window for consent and PIN.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DialogConfig {
    /// Programs by absolute path, tried in this order; empty means the platform's own order.
    #[serde(default)]
    pub programs: Vec<PathBuf>,
}

impl Config {
    /// Reads the first configuration file that exists; without one the configuration is empty.
    ///
    /// # Errors
    /// `configuration-malformed`.
    pub fn load() -> Result<Self, Failure> {
        for file in places::configuration_files() {
            match fs::read_to_string(&file) {
                Ok(text) => return Self::read(&text, &file),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(malformed(&file, error)),
            }
        }
        Ok(Self::default())
    }

    /// Reads one file's text.
    ///
    /// # Errors
    /// `configuration-malformed`, naming the line.
    pub fn read(text: &str, file: &Path) -> Result<Self, Failure> {
        let mut config: Self = toml::from_str(text).map_err(|error| malformed(file, error.to_string().trim()))?;
        if config.modules.len() > MODULES_MAX {
            return Err(malformed(file, format!("more than {MODULES_MAX} modules")));
        }
        let mut names = std::collections::BTreeSet::new();
        for module in &config.modules {
            if module.name.trim().is_empty() || !names.insert(module.name.as_str()) {
                return Err(malformed(file, format!("two modules are called “{}”, or one has no name", module.name)));
            }
            if let Some(name) = module.environment.keys().find(|name| name.is_empty() || name.contains(['=', '\0']) || is_loader_variable(name)) {
                return Err(malformed(file, format!("variable “{name}” may not be set")));
            }
            if !(1..=60).contains(&module.patience) {
                return Err(malformed(file, "patience is not 1 to 60 seconds"));
            }
            if module.tries == Some(0) {
                return Err(malformed(file, "tries = 0"));
            }
        }
        if let Some(program) = config.dialog.programs.iter().find(|program| !program.is_absolute()) {
            return Err(malformed(file, format!("dialog program {} is not an absolute path", program.display())));
        }
        if config.authorities.len() > AUTHORITIES_MAX || config.authorities.iter().any(|authority| !authority.certificate.is_absolute()) {
            return Err(malformed(file, "an authority's certificate is not an absolute path, or there are too many"));
        }
        config.file = Some(file.to_owned());
        Ok(config)
    }
}

impl Config {
    /// The certificates of the configured authorities: the first of each file that may sign certificates.
    ///
    /// # Errors
    /// `authority-missing` where none is configured, `configuration-malformed` where a file is none.
    pub fn authority_certificates(&self) -> Result<Vec<Certificate>, Failure> {
        if self.authorities.is_empty() {
            return Err(Failure::new(Code::AuthorityMissing));
        }
        self.authorities.iter().map(|authority| read_authority(&authority.certificate)).collect()
    }
}

fn read_authority(file: &Path) -> Result<Certificate, Failure> {
    let metadata = fs::metadata(file).map_err(|error| malformed(file, error))?;
    if metadata.len() > CERTIFICATE_FILE_MAX {
        return Err(malformed(file, "too large for a certificate"));
    }
    let text = fs::read_to_string(file).map_err(|error| malformed(file, error))?;
    let certificates = Certificate::parse_pem(&text).map_err(|error| malformed(file, error))?;
    certificates.into_iter().find(Certificate::is_ca).ok_or_else(|| malformed(file, "no certificate of an authority"))
}

impl Module {
    /// Whether the file may be loaded at all. Loading it is the worker's business.
    ///
    /// # Errors
    /// `module-missing`, `module-refused`.
    pub fn check(&self) -> Result<(), Failure> {
        let refused = |detail: &str| Failure::new(Code::ModuleRefused).with("module", &self.name).with("path", self.path.display()).with("detail", detail);
        if !self.path.is_absolute() {
            return Err(refused("not an absolute path"));
        }
        let metadata = fs::metadata(&self.path).map_err(|_| Failure::new(Code::ModuleMissing).with("module", &self.name).with("path", self.path.display()))?;
        if !metadata.is_file() {
            return Err(refused("not a file"));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            if metadata.mode() & 0o002 != 0 {
                return Err(refused("everybody may write to it"));
            }
            let user = rustix::process::getuid().as_raw();
            if metadata.uid() != 0 && metadata.uid() != user {
                return Err(refused("it belongs to another user"));
            }
        }
        Ok(())
    }
}

/// Variables that make the loader run other code than the declared module.
fn is_loader_variable(name: &str) -> bool {
    name.starts_with("LD_") || name.starts_with("DYLD_")
}

fn malformed(file: &Path, detail: impl ToString) -> Failure {
    Failure::new(Code::ConfigurationMalformed).with("path", file.display()).with("detail", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, Failure> {
        Config::read(text, Path::new("/etc/sealbridge/config.toml"))
    }

    #[test]
    fn a_whole_file_is_read() {
        let config = read("developer = true\n[[module]]\nname = \"A\"\npath = \"/lib/a.so\"\nenvironment = { A = \"1\" }\ntries = 10\nrsa = \"pss\"\n[dialog]\nprograms = [\"/usr/bin/pinentry\"]\n").unwrap();
        assert!(config.developer);
        assert_eq!(config.modules[0].tries, Some(10));
        assert_eq!(config.modules[0].rsa, RsaPadding::Pss);
        assert_eq!(config.dialog.programs, [PathBuf::from("/usr/bin/pinentry")]);
    }

    #[test]
    fn what_must_not_stand_there_is_refused() {
        for text in [
            "pin = \"1234\"",
            "developer = 1",
            "[[module]]\nname = \"A\"",
            "[[module]]\nname = \"A\"\npath = \"/a\"\npin = \"1\"",
            "[[module]]\nname = \"A\"\npath = \"/a\"\n[[module]]\nname = \"A\"\npath = \"/b\"",
            "[[module]]\nname = \"A\"\npath = \"/a\"\ntries = 0",
            "[[module]]\nname = \"A\"\npath = \"/a\"\nenvironment = { LD_PRELOAD = \"/b\" }",
            "[dialog]\nprograms = [\"pinentry\"]",
        ] {
            assert_eq!(read(text).unwrap_err().code, Code::ConfigurationMalformed, "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_module_that_anybody_can_replace_is_not_loaded() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("module.so");
        let module =
            |path: &Path| Module { name: "A".into(), path: path.to_owned(), environment: BTreeMap::new(), tries: None, rsa: RsaPadding::Pkcs1, patience: 8 };
        assert_eq!(module(&path).check().unwrap_err().code, Code::ModuleMissing);
        assert_eq!(module(Path::new("module.so")).check().unwrap_err().code, Code::ModuleRefused);
        assert_eq!(module(folder.path()).check().unwrap_err().code, Code::ModuleRefused);
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(module(&path).check().is_ok());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(module(&path).check().unwrap_err().code, Code::ModuleRefused);
    }
}
