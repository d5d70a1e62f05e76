//! The key centre's page and the extension's background behind it, message for message (`extension/src/centre/care.ts`, `desk-calls.ts`,
//! `background/host.ts`), with a person who presses its buttons and types PINs; and what strikes at a chosen step. Everything that crosses
//! a boundary is a step: a request once it was sent, an answer once it has arrived and before anything is done with it.

use base64ct::{Base64, Encoding};
use sealbridge_e2e::bidi::{DriveError, Driven};
use sealbridge_e2e::http;
use sealbridge_e2e::native::NativeHost;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::scene::{Scene, list};

/// As `SEAL_PART_MAX`.
const SEAL_PART_MAX: usize = 45_000;

/// What a person does with a button of the key centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// 激活.
    Activation,
    /// 安装, of a renewed certificate.
    Renewal,
    /// 安装, of another seal.
    Seal,
    /// 忘记密码.
    Unlock,
}

/// What is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    /// Killed; it stays down until somebody notices.
    Desk,
    /// Killed.
    Host,
    /// Killed, with everything that its page knew.
    Browser,
    /// Pulled out.
    Key,
}

impl Victim {
    pub(crate) const ALL: [Self; 4] = [Self::Desk, Self::Host, Self::Browser, Self::Key];
}

/// How a press of the button ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The dialog says that it is done.
    Done,
    /// The dialog says why it is not, and offers the button again.
    Refused(Value),
    /// There is no page any more.
    Gone,
    /// The page does not offer the button.
    NoButton,
}

/// Why a step does not go on.
enum Stop {
    Ended(Ended),
    Broken(DriveError),
}

impl From<DriveError> for Stop {
    fn from(error: DriveError) -> Self {
        Self::Broken(error)
    }
}

type Step<T> = Result<T, Stop>;

/// An open page.
pub(crate) struct Page<'s> {
    scene: &'s mut Scene,
    host: Option<NativeHost>,
    /// Every step so far.
    pub(crate) steps: Vec<String>,
    /// At which step what is struck.
    pub(crate) strike: Option<(Victim, usize)>,
    /// The first host is killed when this file comes.
    pub(crate) dies_with: Option<std::path::PathBuf>,
    /// What the page does before the button is pressed is no step.
    looking: bool,
    /// The dialog that is open: it stays, with its reason, until an action is done.
    dialog: Option<(Value, Value)>,
}

impl<'s> Page<'s> {
    pub(crate) fn open(scene: &'s mut Scene) -> Self {
        Self { scene, host: None, steps: Vec::new(), strike: None, dies_with: None, looking: false, dialog: None }
    }

    pub(crate) fn scene(&mut self) -> &mut Scene {
        self.scene
    }

    /// Looks at the keys and presses the action's button.
    pub(crate) fn perform(&mut self) -> Driven<Ended> {
        let done = self.pressed();
        match done {
            Ok(()) => Ok(Ended::Done),
            Err(Stop::Ended(ended)) => Ok(ended),
            Err(Stop::Broken(error)) => Err(DriveError(format!("{error}, after {:?}", self.steps.last()))),
        }
    }

    fn pressed(&mut self) -> Step<()> {
        let (token, own) = match self.dialog.clone() {
            Some(dialog) => dialog,
            None => self.begun()?,
        };
        match self.scene.action {
            Action::Activation => self.activate(&token),
            Action::Renewal | Action::Seal => self.install_waiting(&token),
            Action::Unlock => self.unlock(&token, &own),
        }
    }

    /// Looks at the keys and opens the dialog for a token, and its first certificate, which stay its own until it is closed.
    fn begun(&mut self) -> Step<(Value, Value)> {
        self.looking = true;
        let keys = self.ask("keys", &json!({}));
        self.looking = false;
        // As `acts` in home.ts; a page without a key has no buttons.
        let keys = keys?;
        let [token] = list(&keys["now"]["tokens"]) else { return Err(Stop::Ended(Ended::NoButton)) };
        let (uninitialised, locked) = (token["state"] == "uninitialised", token["state"] == "locked");
        let own = list(&token["certificates"]).iter().find(|one| one["hasKey"] == true).map(|one| one["id"].clone());
        let offered = match self.scene.action {
            Action::Activation => (uninitialised || list(&token["certificates"]).is_empty()) && !locked,
            Action::Renewal | Action::Seal => own.is_some() && !locked,
            Action::Unlock => own.is_some() && !uninitialised && token["officerLocked"] == false,
        };
        if !offered {
            return Err(Stop::Ended(Ended::NoButton));
        }
        Ok(self.dialog.insert((token["token"].clone(), own.unwrap_or_default())).clone())
    }

    // ---- care.ts ----

    fn activate(&mut self, token: &Value) -> Step<()> {
        let token = &self.called(token)?;
        let asked = json!({ "purpose": "activate", "token": token, "business": self.scene.business.number });
        let answer = self.ask("token-request", &asked)?;
        let (request, token) = if answer["certificateRequest"].is_string() {
            (answer["certificateRequest"].clone(), token.clone())
        } else {
            let setup = self.call("/setup", Some(&json!({ "request": answer["request"] })))?;
            let made = self.with_a_new_pin("activate", &json!({ "token": token, "grant": setup["grant"] }))?;
            (made["request"].clone(), made["token"].clone())
        };
        let grant = self.call("/grant", Some(&json!({ "request": request })))?["grant"].clone();
        let mut issued = self.call("/activate", Some(&json!({ "request": request, "grant": grant })))?;
        issued["grant"] = grant;
        self.install(&token, &issued)
    }

    /// How the token is called now.
    fn called(&mut self, token: &Value) -> Step<Value> {
        let keys = self.ask("keys", &json!({}))?;
        let tokens = list(&keys["now"]["tokens"]);
        let same = |one: &Value| one["token"] == *token;
        let named = |one: &&Value| one["label"] == json!(self.scene.business.number);
        let found = if tokens.iter().any(same) { None } else { tokens.iter().find(named) };
        Ok(found.map_or_else(|| token.clone(), |one| one["token"].clone()))
    }

    fn install_waiting(&mut self, token: &Value) -> Step<()> {
        let business = self.call("", None)?["business"].clone();
        let waiting = self.call(if business == "renewal" { "/renewed" } else { "/seal" }, Some(&json!({})))?;
        self.install(token, &waiting)?;
        self.call("/installed", Some(&json!({}))).map(drop)
    }

    fn unlock(&mut self, token: &Value, certificate: &Value) -> Step<()> {
        let asked = json!({ "purpose": "unlock", "token": token, "business": self.scene.business.number, "certificate": certificate });
        let request = self.ask("token-request", &asked)?["request"].clone();
        let grant = self.call("/unlock", Some(&json!({ "request": request })))?["grant"].clone();
        self.with_a_new_pin("unlock", &json!({ "token": token, "grant": grant })).map(drop)
    }

    fn install(&mut self, token: &Value, what: &Value) -> Step<()> {
        let mut arguments = json!({ "token": token });
        if what["certificate"].is_string() {
            for part in ["grant", "certificate", "chain"] {
                arguments[part] = what[part].clone();
            }
        }
        if let Some(seal) = what["seal"].as_str() {
            arguments["seal"] = json!(self.hand(seal)?);
        }
        self.type_pin()?;
        self.use_key("install", &arguments).map(drop)
    }

    fn hand(&mut self, seal: &str) -> Step<String> {
        let seal = Base64::decode_vec(seal).map_err(|error| DriveError(format!("the desk's seal: {error}")))?;
        let id: String = Sha256::digest(&seal).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut have = 0;
        let mut part: &[u8] = &[];
        loop {
            let arguments = json!({ "seal": id, "size": seal.len(), "offset": have, "part": Base64::encode_string(part) });
            have = self.ask("seal-part", &arguments)?["have"].as_u64().and_then(|have| usize::try_from(have).ok()).unwrap_or_default();
            if have >= seal.len() {
                return Ok(id);
            }
            part = seal.get(have..seal.len().min(have + SEAL_PART_MAX)).unwrap_or_default();
        }
    }

    // ---- the person at the host's windows ----

    /// A window asks for a new PIN; where none comes up, the PIN is the one of before.
    fn with_a_new_pin(&mut self, verb: &str, arguments: &Value) -> Step<Value> {
        self.scene.pins += 1;
        let before = std::mem::replace(&mut self.scene.pin, format!("Neu-{:05}!x", self.scene.pins));
        self.type_pin()?;
        let done = self.use_key(verb, arguments);
        if !self.scene.world.pinentry_log()?.contains("ANSWER given") {
            self.scene.pin = before;
        }
        done
    }

    /// Slowly enough that a window can be struck while it is open.
    fn type_pin(&mut self) -> Step<()> {
        let typed = if self.strike.is_some() { format!("wait:30:{}", self.scene.pin) } else { self.scene.pin.clone() };
        self.scene.world.answer(&[typed]).map_err(Into::into)
    }

    // ---- background/host.ts ----

    fn host(&mut self) -> Driven<&mut NativeHost> {
        if let Some(mut gone) = self.host.take_if(|host| host.is_gone()) {
            gone.hang_up();
            self.scene.processes.extend(gone.left());
        }
        let host = match self.host.take() {
            Some(host) => host,
            None => {
                let mut host = NativeHost::start(&self.scene.world)?;
                if let Some(file) = self.dies_with.take() {
                    host.dies_with(&file);
                }
                host
            }
        };
        Ok(self.host.insert(host))
    }

    /// `ask`: once again after a host that was lost.
    fn ask(&mut self, verb: &str, arguments: &Value) -> Step<Value> {
        for _ in 0..2 {
            let id = self.host()?.send(verb, arguments);
            self.step(format!("→ {verb}"))?;
            if let Some(answer) = self.heard(&id, verb)? {
                return answer;
            }
        }
        Err(refused("host-lost"))
    }

    /// `useKey`: after a host that was lost, its successor is asked what became of it, and nothing is asked twice.
    fn use_key(&mut self, verb: &str, arguments: &Value) -> Step<Value> {
        let id = self.host()?.send(verb, arguments);
        self.step(format!("→ {verb}"))?;
        if let Some(answer) = self.heard(&id, verb)? {
            return answer;
        }
        loop {
            let outcome = self.ask("outcome", &json!({ "operation": id }))?;
            match outcome["state"].as_str() {
                Some("done") => return Ok(outcome["ok"].clone()),
                Some("failed") => return Err(Stop::Ended(Ended::Refused(outcome["failure"].clone()))),
                Some("running") => std::thread::sleep(std::time::Duration::from_millis(50)),
                _ => return Err(refused("host-lost")),
            }
        }
    }

    /// The end of a request, or nothing where the host has ended.
    fn heard(&mut self, id: &str, verb: &str) -> Step<Option<Step<Value>>> {
        loop {
            let Some(host) = &mut self.host else { return Ok(None) };
            let Some(message) = host.next(id)? else {
                self.scene.processes.extend(host.left());
                self.host = None;
                return Ok(None);
            };
            if let Some(phase) = message["event"]["phase"].as_str() {
                self.step(format!("← {verb} is at {phase}"))?;
                continue;
            }
            self.step(format!("← {verb}"))?;
            return Ok(Some(match message.get("ok") {
                Some(ok) => Ok(ok.clone()),
                None => Err(Stop::Ended(Ended::Refused(message["failure"].clone()))),
            }));
        }
    }

    // ---- desk-calls.ts ----

    fn call(&mut self, path: &str, body: Option<&Value>) -> Step<Value> {
        let business = &self.scene.business;
        let (path, code) = (format!("/api/business/{}{path}", business.number), format!("Bearer {}", business.code));
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let headers = [("authorization", code.as_str()), ("content-type", "application/json"), ("origin", "chrome-extension://key-centre")];
        let (method, body) = body.map_or(("GET", String::new()), |body| ("POST", body.to_string()));
        let unreachable = |_| refused("desk-unreachable");
        let sent = http::send(self.scene.desk.port(), method, &path, &headers, body.as_bytes()).map_err(unreachable)?;
        self.step(format!("→ desk {name}"))?;
        let answer = sent.answer().map_err(unreachable)?;
        self.step(format!("← desk {name}"))?;
        if answer.status == 200 { Ok(answer.json()?) } else { Err(Stop::Ended(Ended::Refused(json!({ "code": "desk-refused", "desk": answer.json()? })))) }
    }

    // ---- what strikes ----

    fn step(&mut self, name: String) -> Step<()> {
        if self.looking {
            return Ok(());
        }
        let at = self.steps.len();
        self.steps.push(name);
        let Some((victim, _)) = self.strike.filter(|(_, step)| *step == at) else { return Ok(()) };
        match victim {
            Victim::Desk => self.scene.desk.crash(),
            Victim::Key => self.scene.pull_out()?,
            Victim::Host => {
                if let Some(host) = &mut self.host {
                    host.kill();
                }
            }
            Victim::Browser => {
                self.leave();
                return Err(Stop::Ended(Ended::Gone));
            }
        }
        Ok(())
    }

    /// The browser is gone.
    fn leave(&mut self) {
        if let Some(mut host) = self.host.take() {
            host.hang_up();
            self.scene.processes.extend(host.left());
        }
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

fn refused(code: &str) -> Stop {
    Stop::Ended(Ended::Refused(json!({ "code": code })))
}
