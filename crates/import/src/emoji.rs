//! From the names that chats give to emoji to the signs themselves.
//!
//! Two tables of names are about: that of iamcal's emoji-data (Slack, Mattermost, Zulip, Rocket.Chat) and
//! that of gemoji, which the library has. They agree but for some; those stand here, and whatever else is not
//! found is looked for among Unicode's own names.

/// Names of emoji-data that gemoji has otherwise.
/// Source: the `short_names` of iamcal/emoji-data beside the `aliases` of github/gemoji.
const OTHERWISE: [(&str, &str); 24] = [
    ("simple_smile", "slightly_smiling_face"),
    ("hugging_face", "hugs"),
    ("face_with_rolling_eyes", "roll_eyes"),
    ("rolling_on_the_floor_laughing", "rofl"),
    ("the_horns", "metal"),
    ("face_palm", "facepalm"),
    ("face_with_monocle", "monocle_face"),
    ("star-struck", "star_struck"),
    ("hand_with_index_and_middle_fingers_crossed", "crossed_fingers"),
    ("smiling_face_with_3_hearts", "smiling_face_with_three_hearts"),
    ("face_with_cowboy_hat", "cowboy_hat_face"),
    ("white_frowning_face", "frowning_face"),
    ("spock-hand", "vulcan_salute"),
    ("mostly_sunny", "sun_behind_small_cloud"),
    ("drooling_face", "drooling_face"),
    ("face_with_hand_over_mouth", "hand_over_mouth"),
    ("shushing_face", "shushing_face"),
    ("zipper_mouth_face", "zipper_mouth_face"),
    ("grinning_face_with_star_eyes", "star_struck"),
    ("i_love_you_hand_sign", "love_you_gesture"),
    ("money_mouth_face", "money_mouth_face"),
    ("admission_tickets", "tickets"),
    ("racing_motorcycle", "motorcycle"),
    ("tools", "hammer_and_wrench"),
];

/// The sign of a name, with or without colons and skin tone; `None` for what only one server knows.
pub(crate) fn sign(name: &str) -> Option<String> {
    let name = name.trim_matches(':');
    let name = name.split("::skin-tone-").next().unwrap_or(name);
    if let Some(emoji) = emojis::get(name) {
        return Some(emoji.as_str().to_owned());
    }
    if let Some(country) = name.strip_prefix("flag-").or_else(|| name.strip_prefix("flag_"))
        && country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_lowercase())
    {
        return country.bytes().map(|byte| char::from_u32(0x1f1e6 + u32::from(byte - b'a'))).collect();
    }
    let other = OTHERWISE.iter().find(|(known, _)| *known == name).map(|(_, other)| *other);
    let found = [Some(name), other].into_iter().flatten().find_map(emojis::get_by_shortcode);
    let found = found.or_else(|| emojis::get_by_shortcode(&name.replace('-', "_")));
    let found = found.or_else(|| {
        let named = |emoji: &&emojis::Emoji| emoji.name().replace([' ', '-'], "_").eq_ignore_ascii_case(name);
        emojis::iter().find(named)
    });
    found.map(|emoji| emoji.as_str().to_owned())
}

/// Code points in hexadecimal, joined by `-`, as in Zulip's `emoji_code`.
pub(crate) fn of_code_points(code: &str) -> Option<String> {
    code.split('-').map(|point| u32::from_str_radix(point, 16).ok().and_then(char::from_u32)).collect()
}

/// Puts signs in the place of `:names:` that are known, and leaves the others.
pub(crate) fn in_text(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(':') {
        let (before, after) = rest.split_at(start);
        made.push_str(before);
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+');
        let length = after[1..].find(|c| !is_name(c)).unwrap_or(after.len() - 1);
        let is_apart = !before.ends_with(|c: char| c.is_alphanumeric());
        let closes = length > 0 && after[1 + length..].starts_with(':');
        match sign(&after[1..1 + length]).filter(|_| is_apart && closes && length <= 64) {
            Some(sign) => {
                made.push_str(&sign);
                rest = &after[length + 2..];
                // The tone is part of it.
                if let Some(tone) = rest.strip_prefix(":skin-tone-") {
                    rest = tone.get(1..).and_then(|rest| rest.strip_prefix(':')).unwrap_or(rest);
                }
            }
            None => {
                made.push(':');
                rest = &after[1..];
            }
        }
    }
    made.push_str(rest);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_both_tables_are_signs() {
        for (name, expected) in [
            ("wave", "👋"),
            (":wave:", "👋"),
            ("wave::skin-tone-3", "👋"),
            ("+1", "👍"),
            ("thumbsup", "👍"),
            ("thinking_face", "🤔"),
            ("hugging_face", "🤗"),
            ("flag-cz", "🇨🇿"),
            ("woman-shrugging", "🤷‍♀️"),
            ("simple_smile", "🙂"),
            ("👍", "👍"),
        ] {
            assert_eq!(sign(name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(sign("party-parrot"), None);
        assert_eq!(of_code_points("1f44b").as_deref(), Some("👋"));
        assert_eq!(of_code_points("1f1e8-1f1ff").as_deref(), Some("🇨🇿"));
        assert_eq!(of_code_points("zzz"), None);
        for (name, other) in OTHERWISE {
            assert!(sign(name).is_some(), "{name} is not {other}");
        }
    }

    #[test]
    fn names_in_a_text_become_signs_where_they_are_known() {
        assert_eq!(
            in_text("hi :wave::skin-tone-3: at 10:30:15 :party-parrot: :+1:"),
            "hi 👋 at 10:30:15 :party-parrot: 👍"
        );
        assert_eq!(in_text("a:wave:b ::"), "a:wave:b ::");
    }
}
