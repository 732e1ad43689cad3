//! What a user presses. Pure.

/// A key, or a pasted text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(unix), expect(dead_code, reason = "what is pasted comes as letters there, and sizes are not told"))]
pub(super) enum Key {
    Letter(char),
    /// Text with a space in place of each line break and tab.
    Pasted(String),
    Enter,
    Escape,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    /// Deletes everything before the cursor (Ctrl-U).
    Clear,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    Close,
    /// The window size changed.
    Resized,
}
