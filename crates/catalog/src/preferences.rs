//! What a user wants to be told by: one choice for all browsers and accounts.

use frontdesk_core::id::UserId;

use crate::{
    catalog::Catalog,
    error::{Doing, Error, referenced},
    rows, sql,
    store::Lock,
};

/// By which signals the console tells that somebody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    /// A sound.
    pub sound: bool,
    /// A notification of the desktop; the browser asks for it as well.
    pub desktop: bool,
    /// The count in the page's title and icon.
    pub title: bool,
    /// Again and again until somebody answers.
    pub repeat_until_answered: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { sound: true, desktop: true, title: true, repeat_until_answered: false }
    }
}

impl Catalog {
    /// Reads what a user chose; the defaults of one who has not.
    pub async fn preferences(&self, user: UserId) -> Result<Preferences, Error> {
        let row = sql::query("SELECT * FROM user_preferences WHERE user_id = ?")
            .bind(user.to_string())
            .fetch_optional(self.reads())
            .await
            .doing("read preferences")?;
        let Some(row) = row else { return Ok(Preferences::default()) };
        Ok(Preferences {
            sound: rows::flag(&row, "sound")?,
            desktop: rows::flag(&row, "desktop")?,
            title: rows::flag(&row, "title")?,
            repeat_until_answered: rows::flag(&row, "repeat_until_answered")?,
        })
    }

    /// Keeps what a user chose.
    pub async fn set_preferences(&self, user: UserId, chosen: Preferences) -> Result<(), Error> {
        let mut write = self.write_aside("keep preferences", Lock::Rows).await?;
        sql::query("DELETE FROM user_preferences WHERE user_id = ?")
            .bind(user.to_string())
            .execute(&mut write)
            .await
            .doing("keep preferences")?;
        sql::query(
            "INSERT INTO user_preferences (user_id, sound, desktop, title, repeat_until_answered) \
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(user.to_string())
        .bind(i64::from(chosen.sound))
        .bind(i64::from(chosen.desktop))
        .bind(i64::from(chosen.title))
        .bind(i64::from(chosen.repeat_until_answered))
        .execute(&mut write)
        .await
        .map_err(|source| {
            referenced(Error::NotFound { what: "user" }, "keep preferences", source)
        })?;
        write.commit().await.doing("keep preferences")
    }
}
