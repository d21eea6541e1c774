//! Who somebody is: passwords, tokens, sessions, and what keeps strangers from guessing or borrowing them.
//!
//! - [`Accounts`] are the use cases: register, sign in, change the password.
//! - [`Sessions`] turn a token into an [`Identity`], for REST and WebSocket alike.
//! - [`SignInRate`] slows down guessing, and [`Devices`] keeps that from locking owners out; [`cookie`] and
//!   [`origin`] are the browser's side.
//!
//! A token is a secret of 256 random bits that exists only at the client; the store has its SHA-256. A
//! password exists only while it is hashed.

mod accounts;
pub mod cookie;
mod device;
mod lookup;
pub mod origin;
mod password;
mod sessions;
mod sign_in_rate;
mod token;

pub use accounts::{Accounts, Client, Registration, SignedIn};
pub use device::{DeviceId, Devices};
pub use password::{Lane, PasswordHashes};
pub use sessions::{Identity, Sessions};
pub use sign_in_rate::SignInRate;
pub use token::Token;
