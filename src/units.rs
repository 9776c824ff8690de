//! Figures as text: fixed width for columns, plain for sentences.
