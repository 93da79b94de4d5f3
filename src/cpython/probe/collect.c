/* Collections: explicit ones, and automatic ones at the points that the scenario's allocations define.
 *
 * The interpreter counts allocations of its own, and none that a free list serves. So the probe counts the objects
 * of the scenario, keeps automatic collection off, and when a collection is due makes the interpreter start one
 * itself: the count is written where the interpreter keeps it, and one object is allocated. Which generation is
 * collected, when, and what becomes of the counts of the older generations is the interpreter's business. From 3.12
 * on it waits for the evaluation loop, so a function runs for a moment. 2.7 does not tell what an automatic
 * collection found: there the collection is an explicit one of the generation that the counts select. */
#include "probe.h"

#define COUNTED (1 << 24) /* written as count to see whether the collector has reset it */

static int count, enabled, waiting, due;
static int wait_allocations, wait_generation, due_generation;
static int default_threshold[3];
static PyObject *tick;

static void call0(PyObject *function, PyObject *args) {
    PyObject *r = PyObject_Call(function, args, NULL);
    if (r) Py_DECREF(r);
    else PyErr_Clear();
}

/* While a collection runs: it sets the counts to 0 after it has called gc.callbacks. */
static void notice_reset(void) {
    if (P.collecting && *gc_count(0) < COUNTED / 2) {
        count = 0;
        *gc_count(0) = COUNTED;
    }
}

void count_object(void) {
    notice_reset();
    count++;
}

void count_freed(void) {
    notice_reset();
    if (count > 0) count--;
}

void count_none(void) { count = 0; }

static int wants_collection(void) { return enabled && *gc_threshold(0) && count > *gc_threshold(0) && !P.collecting; }

#if PY_VERSION_HEX >= 0x03040000
typedef struct { uint64_t collections, collected, uncollectable; } Statistics;

static uint64_t entry(PyObject *dict, const char *key) {
    PyObject *n = PyDict_GetItemString(dict, key);
    return n ? (uint64_t)PyLong_AsLong(n) : 0;
}

static void statistics(Statistics *out) {
    PyObject *all = NULL;
    int g;
    for (g = 0; g < 3; g++) {
        out[g].uncollectable = gc_uncollectable(g);
        if (gc_statistics(g, &out[g].collections, &out[g].collected)) continue;
        if (!all) all = PyObject_Call(P.gc_get_stats, P.no_args, NULL);
        if (!all) continue;
        out[g].collections = entry(PyList_GET_ITEM(all, g), "collections");
        out[g].collected = entry(PyList_GET_ITEM(all, g), "collected");
    }
    Py_XDECREF(all);
    PyErr_Clear();
}
#endif

/* Runs a collection of generation g that an operation started, or that an allocation is said to have started. */
static void explicit(int g, int automatic) {
    PyObject *r;
    uint64_t before;
    long returned;
    emit(EV_COLLECT_START, (uint32_t)g, (uint32_t)automatic, 0);
    snapshot();
    before = gc_uncollectable(g);
    if (P.lists_not_found) count = 0; /* when the collector does it is not seen */
    P.collecting = 1;
    *gc_count(0) = COUNTED;
    r = PyObject_Call(P.gc_collect, P.gen_args[g], NULL);
    trashcan_put_back();
    notice_reset();
    P.collecting = 0;
    returned = r ? PyLong_AsLong(r) : -1;
    if (r) Py_DECREF(r);
    else PyErr_Clear();
    emit(EV_COLLECT_END, (uint32_t)g, (uint32_t)returned, gc_uncollectable(g) - before);
    snapshot();
}

int op_collect(int g) {
    if (g > 2) return 0;
    if (P.collecting) {
        emit(EV_REFUSED, 0, 0, 0);
        call0(P.gc_collect, P.gen_args[g]);
        return 1;
    }
    explicit(g, 0);
    return 1;
}

/* The generation that the counts select, if the long-lived objects do not forbid it. */
static int selected(void) {
    int g = 2;
    if (P.lists_not_found) {
        PyObject *counts = P.gc_get_count ? PyObject_Call(P.gc_get_count, P.no_args, NULL) : NULL;
        for (g = 1; counts && g < 3 && g < PyTuple_GET_SIZE(counts); g++)
            *gc_count(g) = (int)PyLong_AsLong(PyTuple_GET_ITEM(counts, g));
        Py_XDECREF(counts);
        PyErr_Clear();
        g = 2;
    }
#if PY_MAJOR_VERSION < 3
    if (gc_too_few_long_lived()) g = 1;
#endif
    while (g > 0 && *gc_count(g) <= *gc_threshold(g)) g--;
    return g;
}

/* Makes the interpreter start a collection of its own. */
static void automatic(void) {
#if PY_VERSION_HEX >= 0x03040000
    uint64_t *start = events_position(), uncollectable;
    Statistics before[3], after[3];
    PyObject *r;
    int g = 0;
    if (P.lists_not_found) {
        /* Nothing shows how to make it start one of its own. */
        explicit(selected(), 1);
        return;
    }
    emit(EV_COLLECT_START, (uint32_t)selected(), 1, 0);
    snapshot();
    statistics(before);
    *gc_count(0) = COUNTED;
    P.collecting = 1;
    call0(P.gc_enable, P.no_args);
    node_discard(); /* an allocation */
    r = PY_VERSION_HEX >= 0x030c0000 ? PyObject_CallFunctionObjArgs(tick, Py_None, NULL) : NULL;
    Py_XDECREF(r);
    call0(P.gc_disable, P.no_args);
    notice_reset();
    P.collecting = 0;
    statistics(after);
    while (g < 2 && after[g].collections == before[g].collections) g++;
    events_correct_generation(start, (uint32_t)g);
    uncollectable = after[g].uncollectable - before[g].uncollectable;
    emit(EV_COLLECT_END, (uint32_t)g, (uint32_t)(after[g].collected - before[g].collected + uncollectable), uncollectable);
    snapshot();
#else
    explicit(selected(), 1);
#endif
}

/* ---- points of collection ---- */

/* An object with GC header is about to be allocated. Returns 1 if a collection ran. */
int before_allocation(void) {
    count_object();
    if (waiting) {
        if (--wait_allocations > 0) goto by_count;
        waiting = 0;
        if (P.collecting) return 0;
        if (PY_VERSION_HEX < 0x030c0000) {
            explicit(wait_generation, 1);
            return 1;
        }
        due = 1;
        due_generation = wait_generation;
        return 0;
    }
by_count:
    if (!wants_collection()) return 0;
    if (PY_VERSION_HEX < 0x030c0000) {
        automatic();
        return 1;
    }
    collect_later();
    return 0;
}

void collect_later(void) {
    if (due || !wants_collection()) return;
    due = 1;
    due_generation = -1;
}

/* A safe point between operations of the mutator. */
void serve_due(void) {
    if (!due) return;
    due = 0;
    if (P.collecting) return;
    if (due_generation >= 0) explicit(due_generation, 1);
    else if (wants_collection()) automatic();
}

void collect_at_allocation(int after, int generation) {
    waiting = after > 0;
    wait_allocations = after;
    wait_generation = generation > 2 ? 2 : generation;
}

void set_enabled(int on) { enabled = on; }

void set_thresholds(int a, int b, int c) {
    *gc_threshold(0) = a;
    *gc_threshold(1) = b;
    *gc_threshold(2) = c;
}

int collect_setup(void) {
    int g;
    for (g = 0; g < 3; g++) default_threshold[g] = *gc_threshold(g);
    tick = function_new(NULL, NULL);
    if (!tick) return -1;
    if (gc_tracked(tick)) PyObject_GC_UnTrack(tick);
    return 0;
}

void collect_reset(void) {
    int g;
    for (g = 0; g < 3; g++) {
        *gc_count(g) = 0;
        *gc_threshold(g) = default_threshold[g];
    }
    count = enabled = waiting = due = 0;
}
