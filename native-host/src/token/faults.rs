//! What a PKCS#11 return value means to a person: one table from CKR codes to failure codes. Nothing is retried here or elsewhere.

use cryptoki::error::{Error, RvError};
use sealbridge_protocol::failure::{Code, Failure};

/// The failure for an error of a PKCS#11 call, with the function's name and the return value where only experts can help.
#[must_use]
pub fn failure(error: &Error, token: &str) -> Failure {
    let Error::Pkcs11(value, function) = error else {
        return Failure::new(Code::TokenError).with("function", "PKCS#11").with("rv", error);
    };
    match value {
        RvError::PinIncorrect => Failure::new(Code::PinIncorrect),
        RvError::PinLocked => Failure::new(Code::PinLocked),
        RvError::PinLenRange => Failure::new(Code::PinLength),
        RvError::PinInvalid => Failure::new(Code::PinCharacters),
        RvError::UserPinNotInitialized => Failure::new(Code::PinNotSet),
        RvError::TokenNotPresent | RvError::DeviceRemoved | RvError::SlotIdInvalid | RvError::SessionClosed | RvError::SessionHandleInvalid => {
            Failure::new(Code::TokenRemoved)
        }
        RvError::SessionCount | RvError::UserAlreadyLoggedIn | RvError::UserAnotherAlreadyLoggedIn | RvError::SessionExists => {
            Failure::new(Code::TokenBusy).with("token", token)
        }
        RvError::DeviceMemory => Failure::new(Code::TokenFull).with("token", token),
        RvError::Cancel | RvError::FunctionCanceled => Failure::new(Code::Cancelled),
        RvError::MechanismInvalid | RvError::MechanismParamInvalid | RvError::CurveNotSupported => Failure::new(Code::KeyUnsupported),
        _ => Failure::new(Code::TokenError).with("function", function_name(function)).with("rv", name(value)),
    }
}

/// The failure of loading or starting the module.
#[must_use]
pub fn module_failure(error: &Error, module: &str, path: &str) -> Failure {
    let detail = match error {
        Error::Pkcs11(value, function) => format!("{}: {}", function_name(function), name(value)),
        other => other.to_string(),
    };
    Failure::new(Code::ModuleFailed).with("module", module).with("path", path).with("detail", detail)
}

/// `C_Login`, as vendors' support knows it.
fn function_name(function: &cryptoki::context::Function) -> String {
    format!("C_{function:?}")
}

/// `CKR_DEVICE_ERROR`, as vendors' support knows it; vendors' own values as numbers.
fn name(value: &RvError) -> String {
    match value {
        RvError::VendorDefined(number) | RvError::UnknownErrorCode(number) => format!("0x{number:08x}"),
        other => {
            let mut name = String::from("CKR");
            for character in format!("{other:?}").chars() {
                if character.is_uppercase() {
                    name.push('_');
                }
                name.extend(character.to_uppercase());
            }
            name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cryptoki::context::Function;

    #[test]
    fn return_values_become_codes() {
        let check = |value, code| assert_eq!(failure(&Error::Pkcs11(value, Function::Login), "T").code, code, "{value:?}");
        check(RvError::PinIncorrect, Code::PinIncorrect);
        check(RvError::PinLocked, Code::PinLocked);
        check(RvError::DeviceRemoved, Code::TokenRemoved);
        check(RvError::TokenNotPresent, Code::TokenRemoved);
        check(RvError::SessionCount, Code::TokenBusy);
        check(RvError::FunctionCanceled, Code::Cancelled);
        check(RvError::DeviceError, Code::TokenError);
        check(RvError::VendorDefined(0x8000_0001), Code::TokenError);
    }

    #[test]
    fn what_support_needs_is_in_the_failure() {
        let told = failure(&Error::Pkcs11(RvError::DeviceError, Function::Sign), "T");
        assert_eq!(told.fact("function"), Some("C_Sign"));
        assert_eq!(told.fact("rv"), Some("CKR_DEVICE_ERROR"));
        let told = failure(&Error::Pkcs11(RvError::VendorDefined(0x8000_0001), Function::Sign), "T");
        assert_eq!(told.fact("rv"), Some("0x80000001"));
    }
}
