//! Setting up an authenticator app.

use std::fmt::Write as _;

use askama::Template;
use qrcode::{Color, QrCode};

use super::page::Page;

/// The page. It posts `code` and `csrf` to `/account/security/totp`.
#[derive(Clone, Template)]
#[template(path = "add_totp.html")]
pub struct AddTotpPage {
    /// The frame.
    pub page: Page,
    /// The token of this form.
    pub csrf: String,
    /// The secret in base32, for typing.
    pub secret: String,
    /// The same as a picture.
    pub square: Square,
    /// Why the last attempt failed.
    pub refused: Option<TotpRefused>,
}

/// Why the app was not set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TotpRefused {
    /// The code.
    WrongCode,
    /// The page was open for too long.
    FormTooOld,
}

impl TotpRefused {
    /// The words for it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::WrongCode => "add-totp-wrong",
            Self::FormTooOld => "form-too-old",
        }
    }
}

impl AddTotpPage {
    /// The secret in groups of four, which are easier to type.
    #[must_use]
    pub fn spaced(&self) -> String {
        let letters: Vec<char> = self.secret.chars().collect();
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        groups.join(" ")
    }

    /// Whether the field is to be marked as wrong.
    #[must_use]
    pub fn code_is_wrong(&self) -> bool {
        self.refused == Some(TotpRefused::WrongCode)
    }
}

/// A QR code as a path of an SVG picture, a unit to a module.
#[derive(Clone, Default)]
pub struct Square {
    /// Its width and height, with the quiet zone around it.
    pub size: usize,
    /// What is dark.
    pub path: String,
}

/// The margin that scanners need.
const QUIET: usize = 4;

impl Square {
    /// The picture of a text; none where it is too long for one.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::new(text).ok()?;
        let (width, mut path) = (code.width(), String::new());
        for (y, row) in code.to_colors().chunks(width).enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
                let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
            }
        }
        Some(Self { size: width + 2 * QUIET, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_is_a_path_of_modules_within_its_quiet_zone() {
        let square = Square::of("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ").unwrap();
        assert!(square.size > 20 && square.path.starts_with("M4 4h1v1h-1z"));
        assert!(square.path.chars().all(|c| c.is_ascii_digit() || "Mhvz -".contains(c)));
        assert!(Square::of(&"x".repeat(5000)).is_none());
    }
}
