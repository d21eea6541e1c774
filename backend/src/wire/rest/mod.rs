//! REST bodies, with their descriptions for `/openapi.json`.

mod answers;
mod fields;
pub(crate) mod headers;
mod list_cursor;
mod requests;

pub use answers::{
    Accepted, Account, Conversation, ConversationPage, Kind, Me, Message, MessagePage, People, Person,
    Problem, Session, SessionList, SignedIn, State,
};
pub use fields::Fields;
pub use list_cursor::{decode_list_cursor, encode_list_cursor};
pub use requests::{Credentials, NewMessage, PasswordChange, ProfileChange, ReadPosition, Registration};
