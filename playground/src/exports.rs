//! The shell of the module: a question is written into memory that [`question`] gives, [`answer`] answers it, and its text is where
//! [`answer_at`] says.
//!
//! The module asks the page for one function, `coroner.tell`, which gets what there is to say before an answer, and the message of a
//! panic before it ends the instance.
#![allow(unsafe_code)]

use std::sync::Mutex;

static QUESTION: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static ANSWER: Mutex<String> = Mutex::new(String::new());

#[link(wasm_import_module = "coroner")]
unsafe extern "C" {
    #[link_name = "tell"]
    fn tell_page(text: *const u8, length: usize);
}

fn tell(text: &str) {
    // SAFETY: the page reads so many bytes before it returns, and writes none.
    unsafe { tell_page(text.as_ptr(), text.len()) }
}

/// Memory for a question of so many bytes; it stays there until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn question(length: usize) -> *mut u8 {
    let Ok(mut question) = QUESTION.lock() else { return std::ptr::null_mut() };
    question.clear();
    question.resize(length, 0);
    question.as_mut_ptr()
}

/// Answers the question and returns how many bytes the answer has.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> usize {
    std::panic::set_hook(Box::new(|panic| tell(&serde_json::json!({ "panic": panic.to_string() }).to_string())));
    let Ok(question) = QUESTION.lock() else { return 0 };
    let text = crate::ask(&String::from_utf8_lossy(&question), &mut tell);
    let Ok(mut answer) = ANSWER.lock() else { return 0 };
    *answer = text;
    answer.len()
}

/// Where the answer is, until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn answer_at() -> *const u8 {
    ANSWER.lock().map_or(std::ptr::null(), |answer| answer.as_ptr())
}
