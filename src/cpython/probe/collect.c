/* Collections: explicit ones, those that a scenario asks for at an allocation, and those that the interpreter starts by
 * itself.
 *
 * Of the last the scenario sets what can be set (`gc.enable`, `gc.disable`, `gc.set_threshold`), and the interpreter does
 * the rest: it counts, its own objects too, and starts a collection inside the allocation that passes the threshold or,
 * from 3.12 on, when the evaluation loop looks next. But in the middle of the probe's own work a collection could take
 * away what that works on, so outside of windows automatic collection is shut. A window is one allocation, right before
 * that of a new object; from 3.12 on it is one between two operations of the mutator, after which a function runs.
 * Before it the counts are told (EV_MOMENT), if they ask for a collection.
 *
 * 2.7 has no statistics: there the collector is made to say what it does (DEBUG_STATS). */
#include "probe.h"
#include <stdlib.h>

static int enabled, scheduled, waiting, due, allocated;
static int wait_allocations, wait_generation, due_generation;
static int threshold[3], default_threshold[3];
static PyObject *tick;

static void call0(PyObject *function, PyObject *args) {
    PyObject *r = PyObject_Call(function, args, NULL);
    if (r) Py_DECREF(r);
    else PyErr_Clear();
}

#if PY_VERSION_HEX >= 0x03040000
typedef struct { uint64_t collections, collected, uncollectable; } Statistics;

static uint64_t entry(PyObject *dict, const char *key) {
    PyObject *n = PyDict_GetItemString(dict, key);
    return n ? (uint64_t)PyLong_AsLong(n) : 0;
}

static Statistics before[3];

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

static void listen(void) { statistics(before); }

/* The generation that was collected since, or -1. */
static int heard(uint64_t *found, uint64_t *uncollectable) {
    Statistics after[3];
    int g;
    statistics(after);
    for (g = 0; g < 3; g++) {
        if (after[g].collections == before[g].collections) continue;
        *uncollectable = after[g].uncollectable - before[g].uncollectable;
        *found = after[g].collected - before[g].collected + *uncollectable;
        return g;
    }
    return -1;
}
void collect_said(const char *line, PyObject *arguments) {}
void go_on_listening(void) {}
#else
static int listening, said_generation, starting;
static uint64_t said_found, before_uncollectable;
static PyObject *kept; /* the arguments of the last line of the start: their end would empty the trashcan */

static void debug(int set, int clear) {
    PyObject *flags = PyObject_Call(P.gc_get_debug, P.no_args, NULL);
    PyObject *args = flags ? Py_BuildValue("(l)", (PyInt_AsLong(flags) | set) & ~(long)clear) : NULL;
    if (args) call0(P.gc_set_debug, args);
    Py_XDECREF(flags);
    Py_XDECREF(args);
    PyErr_Clear();
}

static void listen(void) {
    listening = 1;
    said_generation = -1;
    said_found = 0;
    before_uncollectable = gc_uncollectable(2);
    debug(1, 0);
    trashcan_set_aside();
}

static int heard(uint64_t *found, uint64_t *uncollectable) {
    Py_CLEAR(kept);
    trashcan_put_back();
    listening = 0;
    debug(0, 1);
    *uncollectable = gc_uncollectable(2) - before_uncollectable;
    *found = said_found;
    return said_generation;
}

/* The debug flags have been set. */
void go_on_listening(void) {
    if (listening) debug(1, 0);
}

/* What the collector writes: "gc: collecting generation 0...", lines about the generations, an end of line; then
 * "gc: done" or "gc: done, 1 unreachable, 0 uncollectable", a time, an end of line. */
void collect_said(const char *line, PyObject *arguments) {
    if (strncmp(line, "gc: collecting generation ", 26) == 0) {
        said_generation = line[26] - '0';
        starting = 1;
    } else if (starting && strcmp(line, "\n") == 0) {
        starting = 0;
        Py_INCREF(arguments);
        kept = arguments;
        trashcan_put_back();
    } else if (strncmp(line, "gc: done", 8) == 0) {
        trashcan_set_aside();
        if (line[8] == ',') said_found = strtoul(line + 10, NULL, 10);
    }
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
    P.collecting = 1;
    r = PyObject_Call(P.gc_collect, P.gen_args[g], NULL);
    trashcan_put_back();
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

/* ---- the interpreter's own schedule ---- */

/* An allocation, in the course of which or soon after which the interpreter may start a collection. */
static void allocate(void) {
    PyObject *o, *r;
    int open = enabled;
    if (open) call0(P.gc_enable, P.no_args);
    o = node_for_nothing();
    /* Where the evaluation loop is waited for the object has to be there still: the counts are looked at again. */
    r = PY_VERSION_HEX >= 0x030c0000 ? PyObject_CallFunctionObjArgs(tick, Py_None, NULL) : NULL;
    Py_XDECREF(r);
    Py_XDECREF(o);
    if (open) call0(P.gc_disable, P.no_args);
    PyErr_Clear();
}

/* Lets the interpreter start a collection if it wants to. Returns 1 if it did. */
static int window(void) {
    int one = *gc_count(1), two = *gc_count(2), g;
    uint64_t *start, found = 0, uncollectable = 0;
    if (!enabled || threshold[0] == 0 || *gc_count(0) < threshold[0]) {
        allocate();
        /* None was due. What there is to see of it has been seen already, but for its start. */
        if (*gc_count(1) == one && *gc_count(2) == two) return 0;
        emit(EV_COLLECT_START, 0, 1, 0);
        return 1;
    }
    emit(EV_MOMENT, 0, (uint32_t)*gc_count(0), (uint64_t)(uint32_t)one | (uint64_t)(uint32_t)two << 32);
    start = events_position();
    emit(EV_COLLECT_START, 0, 1, 0);
    snapshot();
    listen();
    P.collecting = 1;
    allocate();
    P.collecting = 0;
    g = heard(&found, &uncollectable);
    if (g < 0) {
        events_take_back(start);
        return 0;
    }
    events_correct_generation(start, (uint32_t)g);
    emit(EV_COLLECT_END, (uint32_t)g, (uint32_t)found, uncollectable);
    snapshot();
    return 1;
}

/* ---- points of collection ---- */

/* An object with GC header is about to be allocated. Returns 1 if a collection ran. */
int before_allocation(void) {
    allocated = 1;
    if (waiting && --wait_allocations <= 0) {
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
    return PY_VERSION_HEX < 0x030c0000 && scheduled && !P.collecting && window();
}

/* A safe point between operations of the mutator. Only an allocation asks for a collection, so where the last operation,
 * and what ran in it, made none of the scenario's objects there is nothing to wait for. */
void serve_due(void) {
    int asked = allocated;
    allocated = 0;
    if (due) {
        due = 0;
        if (!P.collecting) explicit(due_generation, 1);
    }
    if (PY_VERSION_HEX >= 0x030c0000 && scheduled && asked && !P.collecting) window();
}

void collect_at_allocation(int after, int generation) {
    waiting = after > 0;
    wait_allocations = after;
    wait_generation = generation > 2 ? 2 : generation;
}

void set_enabled(int on) {
    call0(on ? P.gc_enable : P.gc_disable, P.no_args);
    if (on) call0(P.gc_disable, P.no_args); /* until the next window */
    enabled = on;
    scheduled |= on;
}

void set_thresholds(int a, int b, int c) {
    PyObject *args = Py_BuildValue("(iii)", a, b, c);
    if (args) call0(P.gc_set_threshold, args);
    Py_XDECREF(args);
    threshold[0] = a;
    threshold[1] = b;
    threshold[2] = c;
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
        *gc_threshold(g) = threshold[g] = default_threshold[g];
    }
    /* Where the thresholds are not found they are set as a user would. */
    if (P.lists_not_found) set_thresholds(default_threshold[0], default_threshold[1], default_threshold[2]);
    enabled = scheduled = waiting = due = allocated = 0;
}
