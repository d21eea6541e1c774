//! Topics and settings, through the admin client.
