//! Google Calendar and Google sign-in over HTTPS.
