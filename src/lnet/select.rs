//! In which order LNet chooses the local NI for a message, and which criterion decides.
