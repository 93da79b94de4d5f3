/* The probe: runs coroner scenarios natively inside one CPython interpreter.
 *
 * One source for 2.7 to 3.15 (builds with the GIL). The structs that it reads and the numbers in both directions are in
 * layout.h, which coroner writes when it compiles the probe (src/scenario/layout.rs, src/cpython/layout.rs); the event
 * words are those of Event::words(). Nothing here is linked into coroner: the files are compiled on demand for each
 * interpreter. */
#ifndef CORONER_PROBE_H
#define CORONER_PROBE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define MAX_EDGES 136
#define DICT_KEYS 256

/* ---- features.h: 1 or 0 for each name that coroner looked for in the interpreter's headers (compile.rs) ----
 *
 * Nothing asks for the version: an alpha, a fork or a patched build may have what its number does not tell. Macros are
 * asked for with #ifdef, names of functions and members with HAS_..., and what only shows when it runs is tried out in
 * setup (module.c). */
#include "features.h"

/* PEP 442. */
#define HAS_FINALIZE HAS_tp_finalize
/* The trashcan of deallocators that are nested too deep: counted (up to 3.12), by the budget of C recursion (3.13), or, for
 * every type, in the generic deallocator (3.14). */
#define TRASHCAN_COUNTS (HAS_trash_delete_nesting || HAS_delete_nesting)
#if HAS_c_recursion_remaining && defined(Py_TRASHCAN_HEADROOM)
#define TRASHCAN_BY_BUDGET 1
#else
#define TRASHCAN_BY_BUDGET 0
#endif
/* bpo-35983 (3.8): a deallocator takes part only if it is the tp_dealloc of the type, which a wrapped one is not. */
#ifdef Py_TRASHCAN_BEGIN
#define TRASHCAN_ASKS_THE_TYPE TRASHCAN_COUNTS
#else
#define TRASHCAN_ASKS_THE_TYPE 0
#endif

/* What a C type of the user does follows the documentation of its release, not what the interpreter can do: from 3.9 on
 * traverse of an instance of a heap type reports the type ("Changes in the C API" of 3.9, bpo-40217). */
#define TYPES_ARE_VISITED (PY_VERSION_HEX >= 0x03090000)

#ifndef Py_SET_REFCNT
#define Py_SET_REFCNT(o, n) (Py_REFCNT(o) = (n))
#endif
#ifndef Py_SET_TYPE
#define Py_SET_TYPE(o, t) (Py_TYPE(o) = (t))
#endif

/* ---- layout.h: numbers, and the structs of what is read ---- */

#include "layout.h"

/* Whether a shape is in one of the sets; -1 is in none. */
static inline int is_among(int shape, uint64_t set) { return shape >= 0 && set >> shape & 1; }
#define is_extension_shape(s) is_among(s, EXTENSION_SHAPES)
#define is_container_shape(s) is_among(s, WEAK_CONTAINER_SHAPES)
#define is_library_container(s) is_among(s, LIBRARY_CONTAINER_SHAPES)
#define is_weak_shape(s) is_among(s, WEAKREF_SHAPES)
#define is_callable_shape(s) is_among(s, CALLABLE_SHAPES)
#define can_have_weakrefs(s) is_among(s, WEAKREFABLE_SHAPES)

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
    uint32_t n_vars; /* none from this one on has been stored to */
    Frame frame;
    uint32_t script_steps, max_script_steps, max_depth;
    int silent;     /* cleaning up: no events, no scripts */
    int collecting; /* a collection that an operation started is running */
    int calling;    /* an operation, gc.callbacks or the library is about to enter a callable: CALLING... */
    /* objects; entry 0 is not used */
    Entry *entries;
    uint32_t n_entries, cap_entries, mark;
    /* owners of scripts that have raised and have not been reported yet */
    uint32_t raised[256];
    uint32_t n_raised;
    /* interpreter */
    PyObject *gc_collect, *gc_enable, *gc_get_stats, *gc_disable, *gc_freeze, *gc_unfreeze, *gc_set_debug, *gc_get_debug,
        *gc_get_objects, *gc_get_count, *gc_get_threshold, *gc_set_threshold;
    int ordered;         /* dicts keep the order of insertion (3.6) */
    int lists_not_found; /* the collector is another one: which list an object is in is not observed */
    PyObject *gen_args[3], *no_args, *debug_on, *debug_off, *exception, *garbage, *callbacks;
} Probe;

enum { CALLING = 1, CALLING_GC, CALLING_LIBRARY };

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
HIDDEN void events_set_busy(int on); /* seen by the process that this one is a copy of */
HIDDEN int events_busy(void);
HIDDEN void emit(uint32_t tag, uint32_t small, uint32_t a, uint64_t b);
HIDDEN void emit_mark(uint32_t tag, uint32_t small, uint32_t a, uint64_t b);
HIDDEN int events_gave_up(void);
HIDDEN void events_give_up(int why); /* GAVE_UP_... */
HIDDEN size_t events_used(void);
HIDDEN void snapshot(void);
HIDDEN uint64_t *events_position(void);
HIDDEN void events_take_back(uint64_t *start);
HIDDEN void events_correct_generation(uint64_t *start, uint32_t generation);

/* gclists.c */
HIDDEN int gc_setup(void);
HIDDEN void gc_hide_all(void);
HIDDEN PyObject *gc_last(int list);             /* borrowed, or NULL */
HIDDEN void gc_hide_after(PyObject *last); /* what generation 0 has got since that was its last */
HIDDEN int gc_has_header(PyObject *o);
HIDDEN int gc_tracked(PyObject *o);
HIDDEN int gc_finalized(PyObject *o);
HIDDEN int gc_is_empty(void);
HIDDEN int gc_lists(void); /* how many of the lists 0, 1, 2, permanent there are */
HIDDEN PyObject *gc_first(int list);
HIDDEN PyObject *gc_after(int list, PyObject *o);
HIDDEN uint64_t gc_uncollectable(int generation); /* a count that only grows */
HIDDEN void gc_said_uncollectable(void);
HIDDEN int gc_debug_flags(void);

HIDDEN int *gc_threshold(int generation);
HIDDEN int *gc_count(int generation);
HIDDEN int gc_statistics(int generation, uint64_t *collections, uint64_t *collected);

/* collect.c */
HIDDEN int collect_setup(void);
HIDDEN void collect_reset(void);
HIDDEN int op_collect(int generation);
HIDDEN int before_allocation(void);
HIDDEN void serve_due(void);
HIDDEN void collect_at_allocation(int after, int generation);
HIDDEN void set_enabled(int on);
HIDDEN void set_thresholds(int a, int b, int c);
HIDDEN void go_on_listening(void);
HIDDEN void collect_said(const char *line, PyObject *arguments);

/* node.c */
HIDDEN int node_setup(void);
HIDDEN int is_node(PyObject *o);
HIDDEN PyObject *node_new(const Kind *kind);
HIDDEN PyObject *node_for_nothing(void);
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
HIDDEN int pyclass_adopt_finalize(PyTypeObject *type); /* the library's class */
HIDDEN int pyclass_adopt_container(PyTypeObject *type, PyTypeObject *twin, int shape);
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
HIDDEN extern void (*function_watch)(void);  /* called once when a function of a scenario runs */
HIDDEN extern int function_extra_in_library; /* as function_extra, of a function that the library calls */

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

/* library.c */
HIDDEN int library_setup(void);
HIDDEN void library_reset(void);
HIDDEN PyObject *library_finalize_new(const Kind *kind, PyObject *referent, PyObject *callable, uint32_t origin);
HIDDEN void library_unregister(PyObject *o);
HIDDEN uint32_t library_extra(PyObject *o); /* references of the library's own calls that no scenario knows */

/* libcontainer.c */
HIDDEN int library_containers_setup(PyObject *module);
HIDDEN void library_containers_reset(void);
HIDDEN PyObject *library_container_new(const Kind *kind, uint32_t origin);
HIDDEN int library_container_store(PyObject *o, uint32_t slot, PyObject *value);
HIDDEN int library_container_len(PyObject *o);
HIDDEN int library_container_iterate(PyObject *o, uint32_t script);
HIDDEN int library_container_edges(PyObject *o, PyObject **out);
HIDDEN void library_tell_deleted(int everything); /* reports what has left the data, and with everything what was put off */
HIDDEN int library_set_edges(PyObject *set, PyObject **out);
HIDDEN void library_data_gone(uint32_t id);

/* weak.c */
HIDDEN int weak_setup(void);
HIDDEN int weak_adopt_keyed(PyTypeObject *type); /* the library's KeyedRef */
HIDDEN PyObject *weak_new(int shape, PyObject *referent, PyObject *callback);
HIDDEN int weak_is_shared(int shape, PyObject *referent); /* there is one without callback already */
HIDDEN PyObject *weak_answer(PyObject *weak); /* new reference, or NULL */
HIDDEN PyObject **keyed_slot(PyObject *keyed);
HIDDEN void keys_by_identity(PyTypeObject *type);
HIDDEN PyWeakReference *weak_list(PyObject *o);

/* memory.c */
HIDDEN void memory_setup(void);
HIDDEN void memory_report(void);

/* run.c */
HIDDEN int run_script(int code, uint8_t script, PyObject *owner, PyObject *arg); /* -1 with an exception set if it raised */
HIDDEN void run_script_unraisable(int code, uint8_t script, PyObject *owner);
HIDDEN int run_body(uint32_t body);
/* Set while `repeat` or `iterate` runs a body: they have no effect in there. */
HIDDEN extern int in_repeated_body;
HIDDEN int scenario_run(void);
HIDDEN void scenario_cleanup(void);
HIDDEN uint32_t add_object(PyObject *o, const Kind *kind, uint32_t origin, uint32_t role);
HIDDEN void add_weak(PyObject *w, const Kind *kind, uint32_t origin, uint32_t role, PyObject *referent, PyObject *callback);

#endif
