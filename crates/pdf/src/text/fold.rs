//! Characters that a search takes for equal: width, vertical and compatibility forms, and radicals in place of ideographs.
//!
//! Everything else is compared as it is: no case folding, no general normalisation.

use unicode_normalization::UnicodeNormalization as _;

/// What an unreadable glyph and a character without meaning become. No needle has it.
pub(super) const UNKNOWN: char = '\u{FFFF}';

/// Radicals of the supplement block with the ideograph that they look like (Unicode, EquivalentUnifiedIdeograph). Only whole
/// characters that are in use by themselves: bad ToUnicode tables name them in place of the ideograph.
const RADICALS: &[(char, char)] = &[
    ('⺁', '厂'),
    ('⺄', '乙'),
    ('⺆', '冂'),
    ('⺈', '刀'),
    ('⺌', '小'),
    ('⺎', '兀'),
    ('⺏', '尣'),
    ('⺑', '尢'),
    ('⺒', '巳'),
    ('⺓', '幺'),
    ('⺛', '旡'),
    ('⺜', '日'),
    ('⺝', '月'),
    ('⺟', '母'),
    ('⺠', '民'),
    ('⺩', '王'),
    ('⺬', '示'),
    ('⺱', '网'),
    ('⺶', '羊'),
    ('⺸', '羋'),
    ('⺼', '肉'),
    ('⻁', '虎'),
    ('⻂', '衣'),
    ('⻄', '西'),
    ('⻅', '见'),
    ('⻆', '角'),
    ('⻉', '贝'),
    ('⻋', '车'),
    ('⻑', '長'),
    ('⻒', '長'),
    ('⻓', '长'),
    ('⻔', '门'),
    ('⻘', '青'),
    ('⻙', '韦'),
    ('⻚', '页'),
    ('⻛', '风'),
    ('⻜', '飞'),
    ('⻝', '食'),
    ('⻢', '马'),
    ('⻣', '骨'),
    ('⻤', '鬼'),
    ('⻥', '鱼'),
    ('⻦', '鸟'),
    ('⻧', '卤'),
    ('⻨', '麦'),
    ('⻩', '黄'),
    ('⻪', '黾'),
    ('⻫', '斉'),
    ('⻬', '齐'),
    ('⻭', '歯'),
    ('⻮', '齿'),
    ('⻯', '竜'),
    ('⻰', '龙'),
    ('⻱', '龜'),
    ('⻲', '亀'),
    ('⻳', '龟'),
];

/// True for a form of another character.
pub(super) fn is_variant(character: char) -> bool {
    matches!(character,
        '\u{2E80}'..='\u{2FDF}' // radicals
        | '\u{F900}'..='\u{FAFF}' | '\u{2F800}'..='\u{2FA1F}' // compatibility ideographs
        | '\u{FB00}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}' // ligatures and Arabic presentation forms
        | '\u{FE10}'..='\u{FE19}' | '\u{FE30}'..='\u{FE6F}' // vertical and small forms
        | '\u{FF01}'..='\u{FFEE}' // full and half width
    )
}

/// Adds the characters that a search compares: none for white space and marks without width.
pub(super) fn fold(text: &str, mut take: impl FnMut(char)) {
    for character in text.chars() {
        match character {
            _ if character.is_whitespace() => {}
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}' | '\u{FE00}'..='\u{FE0F}' => {}
            '\u{FFFD}'..='\u{FFFF}' => take(UNKNOWN),
            _ if character.is_control() => {}
            _ if is_variant(character) => match RADICALS.iter().find(|(radical, _)| *radical == character) {
                Some((_, ideograph)) => take(*ideograph),
                None => std::iter::once(character).nfkc().filter(|folded| !folded.is_whitespace()).for_each(&mut take),
            },
            _ => take(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_folded() {
        for (text, want) in [
            ("公 章\u{3000}\u{A0}\n：", "公章:"),
            ("（１２）Ａｂ", "(12)Ab"),
            ("⼈⽇⻓⻚⻔", "人日长页门"),
            ("\u{F900}\u{2F800}", "豈丽"),
            ("︵ﬁ﹕￥", "(fi:¥"),
            ("ab\u{200B}\u{AD}c", "abc"),
            ("é①²", "é①²"), // not folded
            ("\u{FFFD}", "\u{FFFF}"),
        ] {
            let mut got = String::new();
            fold(text, |character| got.push(character));
            assert_eq!(got, want, "{text}");
        }
    }
}
