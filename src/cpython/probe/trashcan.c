/* The trashcan up to 3.12: deallocators nested 50 deep put their object off; in 3.13 where the C recursion budget ends.
 *
 * The interpreter's own macros do this inside the original deallocators, where the wrappers could not tell that an
 * object was put off, and from 3.8 on they do it only for a type whose tp_dealloc is the original. So the wrappers
 * decide first, by the interpreter's own counter, and hand the object to the interpreter's own list. (3.14 goes by
 * the stack, before it calls tp_dealloc.) */
#include "probe.h"

#if !TRASHCAN_COUNTS && !TRASHCAN_BY_BUDGET
void trashcan_setup(void) {}
int trashcan_put_off(PyObject *o, int python_class) { return 0; }
int trashcan_enter(PyObject *o) { return 1; }
void trashcan_leave(PyObject *o) {}
#elif TRASHCAN_BY_BUDGET
/* Leaves as much of the budget as code at the top of a module finds: the thread has no Python frame (row E13). */
void trashcan_setup(void) { PyThreadState_Get()->c_recursion_remaining = 9996; }

int trashcan_put_off(PyObject *o, int python_class) {
    PyThreadState *t = PyThreadState_Get();
    if (!gc_has_header(o) || t->c_recursion_remaining > Py_TRASHCAN_HEADROOM) return 0;
    if (gc_tracked(o)) PyObject_GC_UnTrack(o);
    _PyTrash_thread_deposit_object(t, o);
    return 1;
}

/* The original deallocators count, and empty the list. */
int trashcan_enter(PyObject *o) { return !trashcan_put_off(o, 0); }
void trashcan_leave(PyObject *o) {}
#else

void trashcan_setup(void) {}

#define LIMIT 50
#if HAS_delete_nesting
#define NESTING(t) ((t)->trash.delete_nesting)
#else
#define NESTING(t) ((t)->trash_delete_nesting)
#endif

static void deposit(PyObject *o) {
    if (gc_tracked(o)) PyObject_GC_UnTrack(o);
#if HAS__PyTrash_begin
    _PyTrash_begin(PyThreadState_Get(), o);
#else
    _PyTrash_thread_deposit_object(o);
#endif
}

/* Called before the deallocator of a type that takes part. Returns 1 if it must not go on. */
int trashcan_put_off(PyObject *o, int python_class) {
    /* Before bpo-35983 subtype_dealloc counts itself twice. */
    int nesting = NESTING(PyThreadState_Get()) + (python_class && !TRASHCAN_ASKS_THE_TYPE);
    if (!gc_has_header(o) || nesting < LIMIT) return 0;
    deposit(o);
    return 1;
}

/* As the macros around the body of list, tuple and dict deallocators, which take no notice of wrapped types. */
int trashcan_enter(PyObject *o) {
    if (trashcan_put_off(o, 0)) return 0;
    if (TRASHCAN_ASKS_THE_TYPE) NESTING(PyThreadState_Get())++;
    return 1;
}

void trashcan_leave(PyObject *o) {
#if TRASHCAN_ASKS_THE_TYPE && HAS__PyTrash_begin
    _PyTrash_end(PyThreadState_Get());
#elif TRASHCAN_ASKS_THE_TYPE
    PyThreadState *t = PyThreadState_Get();
    if (--NESTING(t) <= 0 && t->trash_delete_later) _PyTrash_thread_destroy_chain();
#endif
}
#endif

/* 2.7 counts uncollectable objects by what the collector writes. The end of the write's argument tuple would empty the
 * trashcan, which without that lasts beyond the collection: no user code runs between the writes and its end. */
#if PY_MAJOR_VERSION < 3
static PyObject *aside;

void trashcan_set_aside(void) {
    PyThreadState *t = PyThreadState_Get();
    if (!t->trash_delete_later) return;
    aside = t->trash_delete_later;
    t->trash_delete_later = NULL;
}

void trashcan_put_back(void) {
    if (!aside) return;
    PyThreadState_Get()->trash_delete_later = aside;
    aside = NULL;
}
#else
void trashcan_set_aside(void) {}
void trashcan_put_back(void) {}
#endif
