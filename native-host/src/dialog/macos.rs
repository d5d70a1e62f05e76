//! macOS without pinentry: AppleScript's dialog with a hidden answer. It shows our text and prints what was typed;
//! texts go in as arguments of the script, so that nothing in them is ever read as script.

use crate::consent::Prompt;

/// Part of every macOS.
pub(super) const OSASCRIPT: &str = "/usr/bin/osascript";

/// Argument 1 is the text, 2 the title, 3 the button that agrees, 4 the one that cancels (error -128, exit 1).
const WITH_PIN: &str = "on run a\nset answer to display dialog (item 1 of a) with title (item 2 of a) default answer \"\" with hidden answer buttons {item 4 of a, item 3 of a} default button 2 cancel button 1\nreturn text returned of answer\nend run";
const WITHOUT_PIN: &str =
    "on run a\ndisplay dialog (item 1 of a) with title (item 2 of a) buttons {item 4 of a, item 3 of a} default button 2 cancel button 1\nreturn \"\"\nend run";

/// The arguments of osascript for one window.
pub(super) fn arguments(prompt: &Prompt, text: &str, agree: &str, with_pin: bool) -> Vec<String> {
    let script = if with_pin { WITH_PIN } else { WITHOUT_PIN };
    ["-e", script, text, &prompt.title, agree, prompt.cancel].map(str::to_owned).to_vec()
}
