//! The demonstration account. Its password is public, so it is only made for a portal on this machine.

use crate::store::Database;
use crate::store::accounts::{self, AddError, NewAccount, Role};

/// The account's name.
pub const NAME: &str = "demo";
/// The account's password, shown on the sign-in page.
pub const PASSWORD: &str = "sealbridge-demo";
/// The organisation, as in the test certificate.
pub const ORGANISATION: &str = "印桥测试科技有限公司";
/// Its unified social credit code: checksum-valid, and of no real organisation that we know of.
pub const CREDIT_CODE: &str = "91440300MA5DEMA00Y";

/// Makes the account where it is not there yet.
///
/// # Errors
/// [`AddError`], except that a name that is taken is no error.
pub async fn ensure(database: &Database, organisation: &str, credit_code: &str, now: i64) -> Result<(), AddError> {
    let account = NewAccount { name: NAME, organisation, credit_code, role: Role::Supplier };
    match accounts::add(database, &account, PASSWORD.to_owned(), now).await {
        Ok(_) | Err(AddError::NameTaken) => Ok(()),
        Err(error) => Err(error),
    }
}
