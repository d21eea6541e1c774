//! REST bodies, with their descriptions for `/openapi.json`.

mod answers;
mod bootstrap;
mod fields;
pub(crate) mod headers;
mod list_cursor;
mod lists;
mod notifications;
mod people;
mod presence;
mod push;
mod requests;
mod rooms;
mod status;

pub use answers::{
    Accepted, ChangePage, Conversation, ConversationPage, EventPage, Kind, Message, MessagePage, Problem,
    State,
};
pub use bootstrap::{Bootstrap, Limits};
pub use fields::Fields;
pub use list_cursor::{decode_list_cursor, encode_list_cursor};
pub use lists::{EditList, MentionPage, PinList, ReactionList, ReaderList, decode_mention_cursor};
pub use notifications::{
    ChangedNotifications, ConversationNotifications, GeneralNotifications, Notifications,
    NotificationsChange, OwnNotificationsChange, Totals,
};
pub use people::{Account, Me, People, Person, Profile, Session, SessionList, SignedIn};
pub(crate) use presence::state_name;
pub use presence::{MemberPresence, PresenceChange, PresenceSettings};
pub use push::{Device, NewSubscription, PushSettings};
pub use requests::{
    Credentials, Edit, NewMessage, PasswordChange, ProfileChange, ReadPosition, Registration,
};
pub use rooms::{
    MemberList, NewMembers, NewRole, NewRoom, RoomChanged, RoomList, RoomUpdate, decode_directory_cursor,
    decode_member_cursor,
};
pub use status::{NewStatus, OwnStatus, Status};
