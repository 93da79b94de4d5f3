/* The collector's lists, found and read without knowing where the interpreter keeps them. */
#include "probe.h"
#include "heads.h"
#include <stdio.h>
#include <unistd.h>
/* Elsewhere nothing tells where a process may read and write. A test compiles as it is there. */
#if defined(__linux__) && !defined(CORONER_NOT_LINUX)
#define MEMORY_IS_TOLD 1
#include <sys/uio.h>
#else
#define MEMORY_IS_TOLD 0
#endif

/* What the interpreter itself says (3.9 and later) holds whatever a changed collector keeps in the head. */
int gc_tracked(PyObject *o) {
#if HAS_PyObject_GC_IsTracked
    if (P.lists_not_found) return PyObject_GC_IsTracked(o);
#endif
    return gc_has_header(o) && head_tracked(o);
}

int gc_finalized(PyObject *o) {
#if HAS_PyObject_GC_IsFinalized
    if (P.lists_not_found) return PyObject_GC_IsFinalized(o);
#endif
    return gc_has_header(o) && head_finalized(o);
}

static Head *heads[4];
static int n_heads;
static Head apart; /* start-up objects live here: no collection, freeze or unfreeze ever sees them */
static volatile uint64_t *stats[3];

int gc_has_header(PyObject *o) { return PyObject_IS_GC(o); }
int gc_lists(void) { return n_heads; }

/* struct gc_generation, in every release: the head of the list, the threshold, the count. */
typedef struct { Head head; int threshold, count; } Generation;
/* Stands for them where they were not found: what is written there has no effect, what is read was asked for. */
static Generation nowhere[3];

static void ask(PyObject *function, int count) {
    PyObject *three = function ? PyObject_Call(function, P.no_args, NULL) : NULL;
    int g;
    for (g = 0; three && g < 3 && g < PyTuple_GET_SIZE(three); g++)
        *(count ? &nowhere[g].count : &nowhere[g].threshold) = (int)PyLong_AsLong(PyTuple_GET_ITEM(three, g));
    Py_XDECREF(three);
    PyErr_Clear();
}

int *gc_threshold(int g) {
    if (n_heads) return &((Generation *)heads[g])->threshold;
    ask(P.gc_get_threshold, 0);
    return &nowhere[g].threshold;
}

int *gc_count(int g) {
    if (n_heads) return &((Generation *)heads[g])->count;
    ask(P.gc_get_count, 1);
    return &nowhere[g].count;
}

int gc_is_empty(void) {
    int g;
    for (g = 0; g < n_heads && g < 3; g++)
        if (gc_first(g)) return 0;
    return 1;
}

PyObject *gc_after(int list, PyObject *o) {
    Head *h = next_of(HEAD_OF(o));
    return h == heads[list] ? NULL : OBJECT_OF(h);
}

PyObject *gc_first(int list) {
    Head *h;
    if (list >= n_heads) return NULL;
    h = next_of(heads[list]);
    return h == heads[list] ? NULL : OBJECT_OF(h);
}

static uint64_t told; /* where it cannot be read: how many objects the collector has said to be uncollectable */

void gc_said_uncollectable(void) { told++; }
uint64_t gc_uncollectable(int generation) { return gc_debug_flags() ? told : *stats[generation]; }

static void call(PyObject *function, PyObject *args) {
    PyObject *r = function ? PyObject_Call(function, args, NULL) : NULL;
    if (r) Py_DECREF(r);
    else PyErr_Clear();
}

/* Moves everything that is in a list apart. */
static void hide(Head *head) {
    Head *a = next_of(head), *z = prev_of(head);
    if (a == head) return;
    link_heads(prev_of(&apart), a);
    link_heads(z, &apart);
    link_heads(head, head);
}

/* Moves everything but `keep`, which is in that list, apart. */
static void hide_others(Head *head, Head *keep) {
    hide(head);
    link_heads(prev_of(keep), next_of(keep));
    link_heads(head, keep);
    link_heads(keep, head);
}

void gc_hide_all(void) {
    int i;
    for (i = 0; i < n_heads; i++) hide(heads[i]);
}

PyObject *gc_last(int list) {
    Head *h = list < n_heads ? prev_of(heads[list]) : NULL;
    return !h || h == heads[list] ? NULL : OBJECT_OF(h);
}

void gc_hide_after(PyObject *last) {
    Head *h, *next;
    if (!n_heads) return;
    for (h = next_of(last ? HEAD_OF(last) : heads[0]); h != heads[0]; h = next) {
        next = next_of(h);
        link_heads(prev_of(h), next);
        link_heads(prev_of(&apart), h);
        link_heads(h, &apart);
    }
}

/* Two words of this process, wherever they may be: -1 if there is nothing. */
static int peek(const void *from, Head *to) {
#if MEMORY_IS_TOLD
    struct iovec here = {to, sizeof *to}, there = {(void *)from, sizeof *to};
    return from && process_vm_readv(getpid(), &here, 1, &there, 1, 0) == sizeof *to ? 0 : -1;
#else
    return -1;
#endif
}

/* True if a head is in a ring of heads each of which knows its neighbours, as far as it is looked at: only then it may be
 * written to. A collector with other lists, or none, has something else there. */
static int is_in_a_list(Head *first) {
    Head *at = first, head, next;
    int n;
    if (peek(at, &head) < 0) return 1; /* it is there: a process may not be allowed to ask */
    for (n = 0; n < 64; n++) {
        if (peek(at, &head) < 0 || peek(next_of(&head), &next) < 0 || prev_of(&next) != at) return 0;
        at = next_of(&head);
        if (at == first) return n > 0;
    }
    return 1;
}

/* A new object is the last of generation 0: what follows it is the head of the list. Alone in its generation it is
 * the last again in the list to which a collection moves it. */
static int find_heads(void) {
    PyObject *o = PyList_New(0);
    Head *last;
    int g;
    if (!o) return -1;
    last = HEAD_OF(o);
    if (!is_in_a_list(last)) return -1;
    for (g = 0; g < 3; g++) {
        heads[g] = next_of(last);
        if (prev_of(heads[g]) != last) return -1;
        hide_others(heads[g], last);
        if (g < 2) call(P.gc_collect, P.gen_args[g]);
    }
    n_heads = 3;
    if (heads[0] == heads[1] || heads[1] == heads[2]) return -1;
    if (P.gc_freeze) {
        call(P.gc_freeze, P.no_args);
        heads[3] = next_of(last);
        if (prev_of(heads[3]) != last || heads[3] == heads[2]) return -1;
        n_heads = 4;
        hide_others(heads[3], last);
        call(P.gc_unfreeze, P.no_args);
    }
    Py_DECREF(o);
    return 0;
}

/* struct gc_generation_stats: collections, collected, uncollectable. 0 if it is not known where that is. */
int gc_statistics(int generation, uint64_t *collections, uint64_t *collected) {
    if (!stats[generation]) return 0;
    *collections = stats[generation][-2];
    *collected = stats[generation][-1];
    return 1;
}

/* DEBUG_UNCOLLECTABLE, and for 2.7 DEBUG_OBJECTS, where the collector has to be listened to. */
int gc_debug_flags(void) { return stats[0] && stats[1] && stats[2] ? 0 : PY_MAJOR_VERSION >= 3 ? 4 : 4 + 16; }

/* ---- where gc.get_stats() reads "uncollectable" from (3.4 and later) ----
 *
 * Calling it would allocate; so the counters are looked for once: words of the interpreter's writable memory that
 * grew by exactly the number of uncollectable objects that were made, three times. 2.7 keeps no statistics and 3.15
 * keeps a history of them: there the collector is made to name each object (see stderr_write in module.c). */

#if HAS_FINALIZE
typedef struct { char *start, *end; } Region;

#if MEMORY_IS_TOLD
static int region_around(void *p, Region *out) {
    FILE *f = fopen("/proc/self/maps", "r");
    char line[512];
    unsigned long a, z, last_end = 0, start = 0;
    char mode[8];
    int found = 0;
    if (!f) return -1;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%lx-%lx %7s", &a, &z, mode) != 3) continue;
        if (a != last_end || mode[0] != 'r' || mode[1] != 'w') {
            if (found) break;
            start = a;
        }
        last_end = mode[0] == 'r' && mode[1] == 'w' ? z : 0;
        if (last_end && (unsigned long)p >= a && (unsigned long)p < z) found = 1;
        if (found) {
            out->start = (char *)start;
            out->end = (char *)z;
        }
    }
    fclose(f);
    if (!found) return -1;
    if (out->start < (char *)p - (8 << 20)) out->start = (char *)p - (8 << 20);
    if (out->end > (char *)p + (8 << 20)) out->end = (char *)p + (8 << 20);
    return 0;
}
#else
static int region_around(void *p, Region *out) { return -1; }
#endif

static void make_uncollectable(int generation, int count) {
    static const Kind legacy = {SHAPE_NODE, 0, 0, 0, 0, 0, 0, FINALIZER_LEGACY, NO_SCRIPT, NO_SCRIPT, NO_SCRIPT};
    PyObject *nodes[64];
    int i;
    for (i = 0; i < count; i++) {
        nodes[i] = node_new(&legacy);
        ((Node *)nodes[i])->slot[0] = nodes[i]; /* a knot: the slot owns the only reference */
    }
    call(P.gc_collect, P.gen_args[generation]);
    for (i = 0; i < count; i++) Py_INCREF(nodes[i]);
    PyList_SetSlice(P.garbage, 0, PyList_GET_SIZE(P.garbage), NULL);
    for (i = 0; i < count; i++) {
        Py_CLEAR(((Node *)nodes[i])->slot[0]);
        Py_DECREF(nodes[i]);
    }
}

static int find_stats(int generation) {
    Region r;
    size_t words, i;
    uint64_t *copy, *now;
    int step, found = 0;
    static const int counts[3] = {37, 53, 41};
    if (region_around(heads[0], &r) < 0) return -1;
    words = (size_t)(r.end - r.start) / 8;
    copy = PyMem_RawMalloc(words * 8 * 2);
    if (!copy) return -1;
    now = copy + words;
    memset(now, 0, words * 8);
    for (step = 0; step < 3; step++) {
        uint64_t *memory = (uint64_t *)r.start;
        memcpy(copy, memory, words * 8);
        make_uncollectable(generation, counts[step]);
        found = 0;
        for (i = 0; i < words; i++) {
            if (now[i] != (uint64_t)step || memory[i] - copy[i] != (uint64_t)counts[step]) continue;
            now[i]++;
            found++;
            stats[generation] = &memory[i];
        }
    }
    PyMem_RawFree(copy);
    if (found != 1) {
        stats[generation] = NULL;
        return -1;
    }
    return 0;
}
#else
static int find_stats(int generation) { return 0; }
#endif

int gc_setup(void) {
    int g;
    link_heads(&apart, &apart);
    P.silent = 1;
    if (find_heads() < 0) {
        /* What the interpreter has made so far stays in the lists; the oldest is where it disturbs least. */
        n_heads = 0;
        P.lists_not_found = 1;
        call(P.gc_collect, P.gen_args[2]);
        table_reset();
        return 0;
    }
    gc_hide_all();
    /* Where one of them is not found (3.15 keeps a history of them) the collector is listened to. */
    for (g = 0; g < 3; g++)
        if (find_stats(g) < 0) {
            stats[0] = stats[1] = stats[2] = NULL;
            break;
        }
    table_reset();
    return 0;
}
