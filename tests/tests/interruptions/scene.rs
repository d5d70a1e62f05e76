//! Where an action of the key centre takes place: a token behind the fault-injecting module, the desk, a business that is ready for the
//! action, and the state in which all of them stood before it, to which they can be put back. It also says whether an action is finished,
//! by what the host, the token and the desk themselves tell.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sealbridge_e2e::applicant::Applicant;
use sealbridge_e2e::bidi::{DriveError, Driven, failed};
use sealbridge_e2e::counter::{Business, Visitor, standing};
use sealbridge_e2e::desk::Desk;
use sealbridge_e2e::native::{NativeHost, ended};
use sealbridge_e2e::world::{Plan, World, built, run};
use serde_json::{Value, json};

use crate::page::{Action, Ended, Page};

/// The tries that the token's maker promises.
const TRIES: u64 = 10;
/// How long a worker may take to end that has lost its host: the grace that it gives a driver, and a bit.
const WORKER_ENDS: Duration = Duration::from_secs(12);

/// A prepared action.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) desk: Desk,
    pub(crate) business: Business,
    pub(crate) action: Action,
    /// The PIN that the person typed last as a new one.
    pub(crate) pin: String,
    /// How many new PINs the person has thought of.
    pub(crate) pins: u32,
    /// Every process of a host that has gone.
    pub(crate) processes: Vec<u32>,
    config: String,
    before: Value,
    kept_pin: String,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// Everything up to the action.
    pub(crate) fn prepare(action: Action) -> Driven<Self> {
        let folder = tempfile::Builder::new().prefix("sealbridge-").tempdir()?;
        let mut plan = Plan::new(folder.path());
        plan.blank = true;
        let world = World::prepare(plan)?;
        world.plug(1)?;
        let desk = Desk::start(&world.plan.folder, &world.ca, &[])?;
        let config = behind_faults(&world)?;
        let mut applicant = Visitor::new(&desk);
        let typed = Applicant::details(&world.plan.organisation);
        let business = applicant.new_certificate(&desk, &with(&typed, &[]))?;
        let mut scene = Self {
            world,
            desk,
            business,
            action: Action::Activation,
            pin: String::new(),
            pins: 0,
            processes: Vec::new(),
            config,
            before: Value::Null,
            kept_pin: String::new(),
            _folder: folder,
        };
        scene.faults(&[])?;
        if action != Action::Activation {
            match Page::open(&mut scene).perform()? {
                Ended::Done => {}
                other => return failed(format!("the first activation: {other:?}")),
            }
            let mut host = NativeHost::start(&scene.world)?;
            let serial = on_token(&mut host)?["certificates"][0]["serial"].as_str().unwrap_or_default().to_owned();
            let more = [("serial", serial.as_str()), ("termMonths", "12")];
            let details = with(&typed, &more);
            let desk = &scene.desk;
            scene.business = match action {
                Action::Activation | Action::Seal => applicant.new_seal(desk, &details)?,
                Action::Renewal => {
                    scene.world.answer(std::slice::from_ref(&scene.pin))?;
                    applicant.renewal(desk, &details, &mut host)?
                }
                Action::Unlock => {
                    scene.world.answer(&["Wrong-97531".into()])?;
                    for _ in 0..TRIES {
                        let _refused = log_in(&mut host, None)?;
                    }
                    if on_token(&mut host)?["state"] != "locked" {
                        return failed("ten wrong PINs do not lock the key");
                    }
                    applicant.unlocking(desk, &details)?
                }
            };
            scene.before = on_token(&mut host)?;
        }
        scene.action = action;
        scene.keep()?;
        Ok(scene)
    }

    /// Puts everything back to where it was before the action.
    pub(crate) fn again(&mut self) -> Driven<()> {
        self.desk.crash();
        for (now, kept) in self.places() {
            if now.exists() {
                fs::remove_dir_all(&now)?;
            }
            copy(&kept, &now)?;
        }
        self.desk.up()?;
        self.pin = self.kept_pin.clone();
        self.processes.clear();
        self.plug_in()?;
        self.faults(&[])
    }

    /// From the next host on, the module behaves so (see `tests/fault-module`).
    pub(crate) fn faults(&self, faults: &[(&str, &str)]) -> Driven<()> {
        let variables: String = faults.iter().map(|(name, value)| format!("{name} = {}, ", json!(value))).collect();
        fs::write(self.world.config_file(), self.config.replace("environment = { ", &format!("environment = {{ {variables}"))).map_err(Into::into)
    }

    pub(crate) fn pull_out(&self) -> Driven<()> {
        fs::write(out_file(&self.world), "").map_err(Into::into)
    }

    pub(crate) fn plug_in(&self) -> Driven<()> {
        let file = out_file(&self.world);
        if file.exists() { fs::remove_file(file).map_err(Into::into) } else { Ok(()) }
    }

    /// A file of this scene's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.world.plan.folder.join(name)
    }

    /// How many entries the desk's record of decisions has; its chain must hold.
    pub(crate) fn decisions(&self) -> Driven<String> {
        let mut command = Command::new(built("reference-ca")?);
        command.args(["officer", "check-history", "--data"]).arg(self.desk.data());
        run(command, None).map(|printed| printed.trim().to_owned())
    }

    /// Fails with what is not as the action leaves it. `decisions` is what [`Scene::decisions`] says after an action that nobody disturbed.
    pub(crate) fn is_finished(&mut self, decisions: &str) -> Driven<()> {
        self.has_ended()?;
        let decided = self.decisions()?;
        if decided == decisions { Ok(()) } else { failed(format!("the desk decided {decided} times instead of {decisions}")) }
    }

    /// The same without what the desk has decided.
    pub(crate) fn has_ended(&mut self) -> Driven<()> {
        let left = ended(&self.processes, WORKER_ENDS);
        if !left.is_empty() {
            return failed(format!("processes of hosts that are gone stay: {left:?}"));
        }
        let mut host = NativeHost::start(&self.world)?;
        let token = on_token(&mut host)?;
        let wrong = |what: &str| failed(format!("{what}: {token}"));
        let (certificates, seals) = (list(&token["certificates"]), list(&token["seals"]));
        let wanted = if self.action == Action::Renewal { 2 } else { 1 };
        if (certificates.len(), seals.len()) != (wanted, wanted) || token["activating"].is_string() {
            return wrong("not what was issued");
        }
        if token["state"] != "ready" || token["triesLeft"] != json!(TRIES) || token["officerLocked"] == true {
            return wrong("tries were used up");
        }
        // Each certificate has its key and one seal, which names it alone.
        for certificate in certificates {
            let own = seals.iter().filter(|seal| seal["certificates"] == json!([certificate["id"]])).count();
            if own != 1 || certificate["hasKey"] != true {
                return wrong("a certificate without its key or its seal");
            }
        }
        let ids = |of: &Value, what: &str| list(&of[what]).iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
        let kept = |what: &str| ids(&self.before, what).iter().all(|id| ids(&token, what).contains(id));
        let expected = match self.action {
            Action::Activation => true,
            Action::Renewal | Action::Unlock => kept("certificates") && kept("seals"),
            Action::Seal => kept("certificates") && !kept("seals"),
        };
        if !expected {
            return wrong(&format!("what was on the key before was {}", self.before));
        }
        // With the issuing certificate and the root, each once.
        let all = ok(host.ask("status", &json!({}))?)?;
        let all: Vec<String> = list(&all["tokens"][0]["certificates"]).iter().map(|one| one["der"].to_string()).collect();
        if all.len() != wanted + 2 || all.iter().collect::<HashSet<_>>().len() != all.len() {
            return failed(format!("{} certificates lie on the key", all.len()));
        }
        self.world.answer(std::slice::from_ref(&self.pin))?;
        for certificate in certificates {
            log_in(&mut host, Some(&certificate["id"]))?.map_err(|failure| DriveError(format!("the PIN typed last does not log in: {failure}")))?;
        }
        let record = ok(host.ask("record", &json!({ "limit": 1 }))?)?;
        if record["brokenAt"].is_number() {
            return failed(format!("the host's record is broken: {record}"));
        }
        let state = standing(&self.desk, &self.business)?["state"].clone();
        let wanted = if self.action == Action::Activation { "activated" } else { "done" };
        if state != wanted {
            return failed(format!("the desk says {state}"));
        }
        Ok(())
    }

    fn keep(&mut self) -> Driven<()> {
        self.desk.crash();
        for (now, kept) in self.places() {
            fs::create_dir_all(&now)?;
            copy(&now, &kept)?;
        }
        self.kept_pin = self.pin.clone();
        self.desk.up()
    }

    /// What an action can change, and where it is kept.
    fn places(&self) -> Vec<(PathBuf, PathBuf)> {
        let state = self.world.home.join(".local/state/sealbridge");
        [("token", self.file("token")), ("desk", self.desk.data()), ("ca", self.world.ca.clone()), ("state", state)]
            .map(|(name, now)| (now, self.file("kept").join(name)))
            .to_vec()
    }
}

/// What `keys` tells of the token.
pub(crate) fn on_token(host: &mut NativeHost) -> Driven<Value> {
    let keys = ok(host.ask("keys", &json!({}))?)?;
    match keys["now"]["tokens"].as_array().map(Vec::as_slice) {
        Some([token]) => Ok(token.clone()),
        _ => failed(format!("not one token: {keys}")),
    }
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn ok(answer: Result<Value, Value>) -> Driven<Value> {
    answer.map_err(|failure| DriveError(format!("the host says {failure}")))
}

fn log_in(host: &mut NativeHost, certificate: Option<&Value>) -> Driven<Result<Value, Value>> {
    let mut arguments = json!({ "origin": "http://localhost:1", "nonce": "A".repeat(43) });
    if let Some(certificate) = certificate {
        arguments["certificate"] = certificate.clone();
    }
    host.ask("login", &arguments)
}

/// The host's configuration with the fault-injecting module before the token's own.
fn behind_faults(world: &World) -> Driven<String> {
    let fault = built(&format!("{}sealbridge_fault_module{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))?;
    let (module, _) = world.module()?;
    let text = |path: &Path| json!(path.display().to_string()).to_string();
    world.change_config(&format!("path = {}", text(&module)), &format!("path = {}", text(&fault)))?;
    let variables = format!("environment = {{ FAULT_MODULE = {}, FAULT_OUT = {}, ", text(&module), text(&out_file(world)));
    world.change_config("environment = { ", &variables)?;
    fs::read_to_string(world.config_file()).map_err(Into::into)
}

fn out_file(world: &World) -> PathBuf {
    world.plan.folder.join("key-is-out")
}

/// What is typed, with more that one business asks for.
fn with<'d>(typed: &'d [(&'static str, String)], more: &[(&'d str, &'d str)]) -> Vec<(&'d str, &'d str)> {
    typed.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied()).collect()
}

fn copy(from: &Path, to: &Path) -> Driven<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.collect::<Result<Vec<_>, _>>()? {
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() { copy(&entry.path(), &target)? } else { fs::copy(entry.path(), target).map(drop)? }
    }
    Ok(())
}
