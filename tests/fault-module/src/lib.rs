#![doc = include_str!("../README.md")]
#![allow(unsafe_code, non_snake_case)] // a C interface on both sides, with its own names

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cryptoki_sys::*;

/// The real module: its library, which must stay loaded, and its functions.
struct Real {
    _library: libloading::Library,
    functions: CK_FUNCTION_LIST,
}

// SAFETY: the list holds only function pointers and is never changed; PKCS#11 modules are told that threads call them.
unsafe impl Sync for Real {}
// SAFETY: as above.
unsafe impl Send for Real {}

struct Ours(CK_FUNCTION_LIST);

// SAFETY: only function pointers, never changed after it is made.
unsafe impl Sync for Ours {}
// SAFETY: as above.
unsafe impl Send for Ours {}

static REAL: OnceLock<Option<Real>> = OnceLock::new();
static OURS: OnceLock<Ours> = OnceLock::new();
static CALLS: AtomicU64 = AtomicU64::new(0);

fn real() -> Option<&'static Real> {
    REAL.get_or_init(|| {
        let path = std::env::var_os("FAULT_MODULE")?;
        // SAFETY: the test names a PKCS#11 module, whose C_GetFunctionList has this type and gives a list that lives as long
        // as the library, which is kept.
        unsafe {
            let library = libloading::Library::new(path).ok()?;
            let get: libloading::Symbol<'_, unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV> = library.get(b"C_GetFunctionList\0").ok()?;
            let mut list = std::ptr::null_mut();
            if get(&mut list) != CKR_OK || list.is_null() {
                return None;
            }
            let functions = *list;
            Some(Real { _library: library, functions })
        }
    })
    .as_ref()
}

/// What happens at this call; nothing when it is passed on.
fn fault(function: &str) -> Option<CK_RV> {
    let variable = |name: &str| std::env::var(name).ok();
    let number = CALLS.fetch_add(1, Ordering::SeqCst) + 1;
    if let Some(log) = variable("FAULT_LOG") {
        let _ = OpenOptions::new().create(true).append(true).open(log).and_then(|mut log| writeln!(log, "{function}"));
    }
    let chosen = variable("FAULT_AT").and_then(|at| at.parse().ok()) == Some(number) || variable("FAULT_FUNCTION").as_deref() == Some(function);
    if !chosen {
        return None;
    }
    if variable("FAULT_WHILE").is_some_and(|file| !std::path::Path::new(&file).exists()) {
        return None;
    }
    if let Some(once) = variable("FAULT_ONCE") {
        // Exactly one process makes the file.
        OpenOptions::new().create_new(true).write(true).open(once).ok()?;
    }
    let kind = variable("FAULT_KIND")?;
    match kind.split_once(':') {
        Some(("rv", value)) => value.parse().ok(),
        Some(("slow", milliseconds)) => {
            std::thread::sleep(Duration::from_millis(milliseconds.parse().unwrap_or(0)));
            None
        }
        _ => match kind.as_str() {
            "hang" => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            "crash" => std::process::abort(),
            "pull" => {
                let _ = std::fs::write(variable("FAULT_OUT")?, "");
                pulled_out(function)
            }
            "exit" => std::process::exit(0),
            "print" => {
                println!("a driver's greeting");
                None
            }
            _ => None,
        },
    }
}

/// What a driver says while its token is pulled out; nothing when it is there. What was open on it is gone for good, as a real token's.
fn pulled_out(function: &str) -> Option<CK_RV> {
    let out = std::env::var_os("FAULT_OUT")?;
    if !std::path::Path::new(&out).exists() {
        return None;
    }
    close_everything();
    match function {
        "C_Initialize" | "C_Finalize" => None,
        "C_GetSlotInfo" | "C_GetTokenInfo" | "C_OpenSession" | "C_InitToken" => Some(CKR_TOKEN_NOT_PRESENT),
        _ => Some(CKR_DEVICE_REMOVED),
    }
}

/// Ends every session of the real module, and with it every login.
fn close_everything() {
    let Some(real) = real() else { return };
    let (Some(list), Some(close)) = (real.functions.C_GetSlotList, real.functions.C_CloseAllSessions) else { return };
    let mut slots = [0; 16];
    let mut count = slots.len() as CK_ULONG;
    // SAFETY: there is room for as many slots as are said.
    if unsafe { list(CK_TRUE, slots.as_mut_ptr(), &mut count) } == CKR_OK {
        for slot in slots.iter().take(count as usize) {
            // SAFETY: a slot that the module has just named.
            unsafe { close(*slot) };
        }
    }
}

macro_rules! pass_on {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {
        $(
            unsafe extern "C" fn $name($($argument: $kind),*) -> CK_RV {
                if let Some(value) = pulled_out(stringify!($name)) {
                    return value;
                }
                let after = std::env::var_os("FAULT_AFTER").is_some();
                if !after && let Some(value) = fault(stringify!($name)) {
                    return value;
                }
                let done = match real().and_then(|real| real.functions.$name) {
                    // SAFETY: the caller's arguments are passed on unchanged to the function of the same name.
                    Some(function) => unsafe { function($($argument),*) },
                    None => CKR_FUNCTION_NOT_SUPPORTED,
                };
                if after { fault(stringify!($name)).unwrap_or(done) } else { done }
            }
        )*

        /// The real list with the wrapped functions in place of its own.
        fn wrapped(mut list: CK_FUNCTION_LIST) -> CK_FUNCTION_LIST {
            $(list.$name = Some($name);)*
            list
        }
    };
}

pass_on! {
    C_Initialize(arguments: CK_VOID_PTR);
    C_Finalize(reserved: CK_VOID_PTR);
    C_GetSlotList(present: CK_BBOOL, list: CK_SLOT_ID_PTR, count: CK_ULONG_PTR);
    C_GetSlotInfo(slot: CK_SLOT_ID, info: CK_SLOT_INFO_PTR);
    C_GetTokenInfo(slot: CK_SLOT_ID, info: CK_TOKEN_INFO_PTR);
    C_OpenSession(slot: CK_SLOT_ID, flags: CK_FLAGS, application: CK_VOID_PTR, notify: CK_NOTIFY, session: CK_SESSION_HANDLE_PTR);
    C_CloseSession(session: CK_SESSION_HANDLE);
    C_Login(session: CK_SESSION_HANDLE, user: CK_USER_TYPE, pin: CK_UTF8CHAR_PTR, length: CK_ULONG);
    C_Logout(session: CK_SESSION_HANDLE);
    C_FindObjectsInit(session: CK_SESSION_HANDLE, template: CK_ATTRIBUTE_PTR, count: CK_ULONG);
    C_FindObjects(session: CK_SESSION_HANDLE, objects: CK_OBJECT_HANDLE_PTR, most: CK_ULONG, count: CK_ULONG_PTR);
    C_FindObjectsFinal(session: CK_SESSION_HANDLE);
    C_GetAttributeValue(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, template: CK_ATTRIBUTE_PTR, count: CK_ULONG);
    C_InitToken(slot: CK_SLOT_ID, pin: CK_UTF8CHAR_PTR, length: CK_ULONG, label: CK_UTF8CHAR_PTR);
    C_InitPIN(session: CK_SESSION_HANDLE, pin: CK_UTF8CHAR_PTR, length: CK_ULONG);
    C_SetPIN(session: CK_SESSION_HANDLE, old: CK_UTF8CHAR_PTR, old_length: CK_ULONG, new: CK_UTF8CHAR_PTR, new_length: CK_ULONG);
    C_CreateObject(session: CK_SESSION_HANDLE, template: CK_ATTRIBUTE_PTR, count: CK_ULONG, object: CK_OBJECT_HANDLE_PTR);
    C_DestroyObject(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE);
    C_SetAttributeValue(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE, template: CK_ATTRIBUTE_PTR, count: CK_ULONG);
    C_GenerateKeyPair(session: CK_SESSION_HANDLE, mechanism: CK_MECHANISM_PTR, public: CK_ATTRIBUTE_PTR, public_count: CK_ULONG, private: CK_ATTRIBUTE_PTR, private_count: CK_ULONG, public_key: CK_OBJECT_HANDLE_PTR, private_key: CK_OBJECT_HANDLE_PTR);
    C_SignInit(session: CK_SESSION_HANDLE, mechanism: CK_MECHANISM_PTR, key: CK_OBJECT_HANDLE);
    C_Sign(session: CK_SESSION_HANDLE, data: CK_BYTE_PTR, data_length: CK_ULONG, signature: CK_BYTE_PTR, signature_length: CK_ULONG_PTR);
}

/// C_GetSlotList, without slots while the token is pulled out.
unsafe extern "C" fn plugged_in(present: CK_BBOOL, list: CK_SLOT_ID_PTR, count: CK_ULONG_PTR) -> CK_RV {
    // SAFETY: the caller's arguments are passed on unchanged.
    let done = unsafe { C_GetSlotList(present, list, count) };
    if done == CKR_DEVICE_REMOVED && std::env::var_os("FAULT_OUT").is_some() && !count.is_null() {
        // SAFETY: the caller's place for the number.
        unsafe { *count = 0 };
        return CKR_OK;
    }
    done
}

/// C_GetTokenInfo, with more flags than the real token has.
unsafe extern "C" fn flagged(slot: CK_SLOT_ID, info: CK_TOKEN_INFO_PTR) -> CK_RV {
    // SAFETY: the caller's arguments are passed on unchanged.
    let done = unsafe { C_GetTokenInfo(slot, info) };
    let flags: Option<CK_FLAGS> = std::env::var("FAULT_TOKEN_FLAGS").ok().and_then(|flags| flags.parse().ok());
    if done == CKR_OK
        && let Some(flags) = flags
    {
        // SAFETY: the real call has just filled it.
        unsafe { (*info).flags |= flags };
    }
    done
}

/// C_Login, with what a person types on the token's own keys where the caller gives no PIN.
unsafe extern "C" fn typed(session: CK_SESSION_HANDLE, user: CK_USER_TYPE, pin: CK_UTF8CHAR_PTR, length: CK_ULONG) -> CK_RV {
    match std::env::var("FAULT_PAD_PIN") {
        // SAFETY: as the caller's, with a PIN that lives until the call is over and is only read.
        Ok(own) if pin.is_null() => unsafe { C_Login(session, user, own.as_ptr().cast_mut(), own.len() as CK_ULONG) },
        // SAFETY: the caller's arguments are passed on unchanged.
        _ => unsafe { C_Login(session, user, pin, length) },
    }
}

/// PKCS#11 2.40 §5.4: the list of functions.
///
/// # Safety
/// `list` points to room for one pointer.
// SAFETY: no other library of the worker process exports the symbol globally.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    let Some(real) = real() else { return CKR_GENERAL_ERROR };
    let ours = OURS.get_or_init(|| {
        Ours(CK_FUNCTION_LIST { C_GetSlotList: Some(plugged_in), C_GetTokenInfo: Some(flagged), C_Login: Some(typed), ..wrapped(real.functions) })
    });
    // SAFETY: by this function's contract.
    unsafe { *list = std::ptr::from_ref(&ours.0).cast_mut() };
    CKR_OK
}
