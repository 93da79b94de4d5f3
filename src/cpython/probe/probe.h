/* The probe: runs coroner scenarios natively inside one CPython interpreter.
 *
 * One source for 2.7 to 3.15 (builds with the GIL). The wire structs below are laid out exactly as wire.rs writes
 * them; the event words exactly as Event::words() in event.rs. Nothing here is linked into coroner: the files are
 * compiled on demand for each interpreter. */
#ifndef CORONER_PROBE_H
#define CORONER_PROBE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define NODE_SLOTS 4
#define MAX_VARS 1024
#define MAX_ITEMS 64
#define MAX_EDGES 136
#define DICT_KEYS 256
#define NO_STEP 0xff
#define NO_SCRIPT 0xff

#ifndef Py_SET_REFCNT
#define Py_SET_REFCNT(o, n) (Py_REFCNT(o) = (n))
#endif
#ifndef Py_SET_TYPE
#define Py_SET_TYPE(o, t) (Py_TYPE(o) = (t))
#endif

/* ---- wire (wire.rs) ---- */

enum { BASE_NOTHING, BASE_VAR, BASE_OWNER, BASE_ARG };
typedef struct { uint8_t base, path[2], pad; uint16_t var, pad2; } Place;

enum { SHAPE_NODE, SHAPE_TYPED, SHAPE_LIST, SHAPE_TUPLE, SHAPE_DICT, SHAPE_CELL, SHAPE_FUNCTION, SHAPE_METHOD,
       SHAPE_INSTANCE, SHAPE_SLOTTED, SHAPE_BARE, SHAPE_REF, SHAPE_PROXY, SHAPE_KEYEDREF, SHAPE_WEAKVALUEDICT,
       SHAPE_WEAKKEYDICT, SHAPE_WEAKSET, SHAPE_FINALIZE };
enum { TRACKING_TRACKED, TRACKING_UNTRACKED, TRACKING_NOHEADER };
enum { FINALIZER_NONE, FINALIZER_MODERN, FINALIZER_LEGACY };
typedef struct {
    uint8_t shape, tracking, hidden, doubled, fickle, keeps, no_clear, finalizer;
    uint8_t finalizer_script, on_call, on_dealloc, keeps_tracked, keeps_weakrefs, pad[3];
} Kind;

enum { OP_NEW, OP_SET, OP_DEREF, OP_LOOK, OP_SCAN, OP_COLLECT, OP_COLLECT_AT_ALLOCATION, OP_CALL, OP_RAISE, OP_ENABLE,
       OP_DISABLE, OP_SET_THRESHOLD, OP_FREEZE, OP_UNFREEZE, OP_SAVE_ALL, OP_EMPTY_GARBAGE, OP_ADD_GC_CALLBACK,
       OP_EMPTY_GC_CALLBACKS, OP_TRACK, OP_UNTRACK, OP_REPEAT, OP_BUILD, OP_LEN, OP_ITERATE };
enum { BULK_CHAIN, BULK_RING, BULK_TREE, BULK_KNOTS };
/* a, b, c: small operands (generation, bulk shape, on/off); n: count, or the script of repeat and iterate. */
typedef struct { uint8_t code, a, b, c; uint32_t n; Place dst, x, y; Kind kind; } Op;

/* ---- events (event.rs) ---- */

enum { EV_STEP = 1, EV_NO_EFFECT, EV_NEW, EV_NEW_WEAK, EV_STORE_VAR, EV_STORE_SLOT, EV_ENTER, EV_LEAVE, EV_SAW, EV_ANSWER,
       EV_COLLECT_START, EV_COLLECT_END, EV_REFUSED, EV_CLEAR, EV_DEALLOC, EV_FREE, EV_UNRAISABLE, EV_LENGTH, EV_YIELDED,
       EV_SNAPSHOT, EV_STATE, EV_WEAK, EV_GARBAGE, EV_UNDEFINED, EV_END,
       /* Marks of the probe, never seen outside src/cpython: a scenario begins (a: its number in the batch) and has
        * ended (small: its status, a: a detail, b: nanoseconds from the first operation to the last event). Before
        * its end, if asked for, what the process holds (small: 0 references, 1 blocks of memory, b: how many). */
       EV_BEGIN_SCENARIO = 0xf0, EV_END_SCENARIO = 0xf1, EV_MEMORY = 0xf2 };
enum { CODE_FINALIZER, CODE_LEGACY, CODE_CALLBACK, CODE_DEALLOC, CODE_GC_CALLBACK, CODE_CALL };
enum { ROLE_NAMED, ROLE_INSTANCE_DICT, ROLE_CONTAINER_DATA, ROLE_CONTAINER_REMOVE, ROLE_CONTAINER_ENTRY, ROLE_FINALIZE_REF,
       ROLE_CONTAINER_SELF, ROLE_CONTAINER_DEFAULTS, ROLE_CONTAINER_CELL, ROLE_CONTAINER_CLOSURE };
enum { SPOT_GEN0, SPOT_GEN1, SPOT_GEN2, SPOT_PERMANENT, SPOT_COLLECTING, SPOT_UNTRACKED, SPOT_NO_HEADER };
enum { STATUS_DONE, STATUS_UNSUPPORTED, STATUS_GAVE_UP };

/* ---- objects ---- */

typedef struct {
    PyObject_HEAD
    PyObject *slot[NODE_SLOTS];
    PyObject *weakrefs;
    const Kind *kind;
    uint32_t id;
    uint32_t visits; /* calls of traverse so far */
} Node;

typedef struct {
    PyObject *object; /* NULL once freed */
    const Kind *kind;
    uint32_t origin; /* index of the operation that created it */
    uint32_t referent; /* weak references: the id at creation, safe to report even if the referent's memory is gone */
    uint32_t mark;
    uint32_t number; /* entries of weak containers: the slot or the position */
    uint8_t put_off; /* in the trashcan */
    uint8_t role, registered; /* registered: finalize holds it */
    uint8_t header; /* it has a GC header */
    uint8_t lost_values; /* tp_clear has taken the inline values of an instance (3.12 and later) */
    void *keys; /* dicts before 3.6: see builtin.c */
} Entry;

typedef struct {
    PyObject *owner, *arg; /* borrowed */
    int depth;
} Frame;

typedef struct {
    /* scenario */
    const Op *ops;
    const uint32_t *ends;
    uint32_t n_ops, n_bodies;
    PyObject *vars[MAX_VARS];
    Frame frame;
    uint32_t script_steps, max_script_steps, max_depth;
    int silent;     /* cleaning up: no events, no scripts */
    int collecting; /* a collection that an operation started is running */
    int calling;    /* an operation or gc.callbacks is about to enter a callable: CALLING or CALLING_GC */
    /* objects; entry 0 is not used */
    Entry *entries;
    uint32_t n_entries, cap_entries, mark;
    /* owners of scripts that have raised and have not been reported yet */
    uint32_t raised[256];
    uint32_t n_raised;
    /* interpreter */
    PyObject *gc_collect, *gc_enable, *gc_get_stats, *gc_disable, *gc_freeze, *gc_unfreeze, *gc_set_debug, *gc_get_objects;
    PyObject *gen_args[3], *no_args, *debug_on, *debug_off, *exception, *garbage, *callbacks;
} Probe;

enum { CALLING = 1, CALLING_GC };

extern HIDDEN Probe P;

/* table.c */
HIDDEN uint32_t table_add(PyObject *o, const Kind *kind); /* 0 if out of memory */
HIDDEN uint32_t id_of(PyObject *o);                       /* 0 if the object is none of ours */
HIDDEN void table_remove(uint32_t id);
HIDDEN void table_reset(void);
#define entry_of(id) (&P.entries[id])

/* events.c */
HIDDEN int events_open(const char *path, size_t bytes);
HIDDEN void events_rewind(void);
HIDDEN void emit(uint32_t tag, uint32_t small, uint32_t a, uint64_t b);
HIDDEN void emit_mark(uint32_t tag, uint32_t small, uint32_t a, uint64_t b);
/* Why a scenario is broken off: what the probe has not room for, which is no fault of the interpreter, or an error
 * that nobody expects (out of memory). */
enum { GAVE_UP_NOT, GAVE_UP_ERROR, GAVE_UP_EVENTS, GAVE_UP_FUNCTIONS, GAVE_UP_CONTAINERS, GAVE_UP_REMOVALS, GAVE_UP_KEYS };
HIDDEN int events_gave_up(void);
HIDDEN void events_give_up(int why);
HIDDEN size_t events_used(void);
HIDDEN void snapshot(void);
HIDDEN uint64_t *events_position(void);
HIDDEN void events_correct_generation(uint64_t *start, uint32_t generation);

/* gclists.c */
HIDDEN int gc_setup(void);
HIDDEN void gc_hide_all(void);
HIDDEN int gc_has_header(PyObject *o);
HIDDEN int gc_tracked(PyObject *o);
HIDDEN int gc_finalized(PyObject *o);
HIDDEN int gc_lists(void); /* how many of the lists 0, 1, 2, permanent there are */
HIDDEN PyObject *gc_first(int list);
HIDDEN PyObject *gc_after(int list, PyObject *o);
HIDDEN uint64_t gc_uncollectable(int generation); /* a count that only grows */
HIDDEN void gc_said_uncollectable(void);
HIDDEN int gc_debug_flags(void);
HIDDEN int gc_too_few_long_lived(void); /* 2.7 */

HIDDEN int *gc_threshold(int generation);
HIDDEN int *gc_count(int generation);
HIDDEN int gc_statistics(int generation, uint64_t *collections, uint64_t *collected);

/* collect.c */
HIDDEN int collect_setup(void);
HIDDEN void collect_reset(void);
HIDDEN int op_collect(int generation);
HIDDEN int before_allocation(void);
HIDDEN void count_object(void);
HIDDEN void count_freed(void);
HIDDEN void count_none(void);
HIDDEN void collect_later(void);
HIDDEN void serve_due(void);
HIDDEN void collect_at_allocation(int after, int generation);
HIDDEN void set_enabled(int on);
HIDDEN void set_thresholds(int a, int b, int c);

/* node.c */
HIDDEN int node_setup(void);
HIDDEN int is_node(PyObject *o);
HIDDEN PyObject *node_new(const Kind *kind);
HIDDEN void node_discard(void);
HIDDEN int node_track(PyObject *o);   /* 0 if it was tracked, or cannot be */
HIDDEN int node_untrack(PyObject *o); /* 0 if it was not tracked */

/* builtin.c */
HIDDEN int builtin_setup(void);
HIDDEN PyObject *tuple_new(PyObject *a, PyObject *b);
HIDDEN PyObject *dict_get(PyObject *d, uint32_t slot); /* borrowed */
HIDDEN int dict_put(PyObject *d, uint32_t slot, PyObject *value);

/* A deallocation in progress; id 0 if it reports by itself that the object is freed. */
typedef struct Dying { uint32_t id; struct Dying *outer; } Dying;
HIDDEN void dying_begins(Dying *d, uint32_t id);
HIDDEN void dying_ends(Dying *d);
HIDDEN void dealloc_put_off(uint32_t id);

/* trashcan.c */
HIDDEN void trashcan_setup(void);
HIDDEN int trashcan_put_off(PyObject *o, int python_class);
HIDDEN int trashcan_enter(PyObject *o);
HIDDEN void trashcan_leave(PyObject *o);
HIDDEN void trashcan_set_aside(void);
HIDDEN void trashcan_put_back(void);

/* pyclass.c */
HIDDEN int pyclass_setup(void);
HIDDEN PyTypeObject *pyclass_type(const Kind *kind);
HIDDEN PyObject *pyclass_new(const Kind *kind);
HIDDEN PyObject **slotted_slot(PyObject *o, int slot);
HIDDEN PyObject **instance_dict(PyObject *o); /* NULL where instances have none of their own */
HIDDEN PyObject *instance_get(PyObject *o, int slot); /* borrowed */
HIDDEN int instance_put(PyObject *o, int slot, PyObject *value);

/* function.c */
HIDDEN int function_setup(void);
HIDDEN void function_reset(void);
HIDDEN PyObject *function_new(PyObject *closure, PyObject *defaults);
HIDDEN void function_forget(PyObject *f);
HIDDEN PyObject **function_slot(PyObject *o, int slot);
HIDDEN uint32_t function_extra(PyObject *o); /* references of the call machinery that no scenario knows */
HIDDEN PyObject *call_function(PyObject *f, int how);
HIDDEN PyObject *gc_callback_of(PyObject *callable);
HIDDEN void gc_callbacks_release(void);

/* place.c */
HIDDEN const Kind *kind_of(PyObject *o);
HIDDEN int shape_of(PyObject *o); /* -1 if it is none of ours */
HIDDEN PyObject *eval(const Place *p);                   /* borrowed */
HIDDEN PyObject *slot_get(PyObject *o, uint32_t slot);   /* borrowed */
HIDDEN int store(const Place *dst, PyObject *value);     /* takes the reference; 0 if nothing happened */
HIDDEN int dict_store(PyObject *d, uint32_t slot, PyObject *value);
HIDDEN void report_store(PyObject *holder, uint32_t slot, PyObject *value);
HIDDEN int edges_of(PyObject *o, PyObject **out);
HIDDEN void empty(PyObject *o);

/* container.c */
HIDDEN void container_reset(void);
HIDDEN PyObject *container_new(const Kind *kind, uint32_t origin);
HIDDEN int container_store(PyObject *o, uint32_t slot, PyObject *value);
HIDDEN int is_container_function(uint32_t id);
HIDDEN void run_removal(PyObject *function, PyObject *weak);
HIDDEN int op_len(PyObject *o);
HIDDEN int op_iterate(PyObject *o, uint32_t script);
HIDDEN PyObject *finalize_new(const Kind *kind, PyObject *referent, PyObject *callable, uint32_t origin);
HIDDEN PyObject *finalize_call(PyObject *o, PyObject *args, PyObject *kw);

/* weak.c */
HIDDEN int weak_setup(void);
HIDDEN PyObject *weak_new(int shape, PyObject *referent, PyObject *callback);
HIDDEN PyObject *weak_answer(PyObject *weak); /* new reference, or NULL */
HIDDEN PyObject **keyed_slot(PyObject *keyed);
HIDDEN void keys_by_identity(PyTypeObject *type);
HIDDEN PyWeakReference *weak_list(PyObject *o);
#define is_container_shape(s) ((s) >= SHAPE_WEAKVALUEDICT && (s) <= SHAPE_WEAKSET)
#define is_weak_shape(s) ((s) >= SHAPE_REF && (s) <= SHAPE_KEYEDREF)

/* memory.c */
HIDDEN void memory_setup(void);
HIDDEN void memory_report(void);

/* run.c */
HIDDEN int run_script(int code, uint8_t script, PyObject *owner, PyObject *arg); /* -1 with an exception set if it raised */
HIDDEN void run_script_unraisable(int code, uint8_t script, PyObject *owner);
HIDDEN int run_body(uint32_t body);
/* Set while `repeat` or `iterate` runs a body: they have no effect in there. */
HIDDEN extern int in_repeated_body;
HIDDEN int can_have_weakrefs(int shape);
HIDDEN int scenario_run(void);
HIDDEN void scenario_cleanup(void);
HIDDEN uint32_t add_object(PyObject *o, const Kind *kind, uint32_t origin, uint32_t role);
HIDDEN void add_weak(PyObject *w, const Kind *kind, uint32_t origin, uint32_t role, PyObject *referent, PyObject *callback);

#endif
