//! What the user writes, what it means, and every complaint between the two.
