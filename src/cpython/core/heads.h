/* The head that the collector keeps before each object that it may track, in every release: layer "core", which the probe of
 * scenarios and the library of the audit share. It needs features.h. */
#ifndef CORONER_HEADS_H
#define CORONER_HEADS_H

#include <Python.h>
#include <stdint.h>

#if !HAS_gc_refs
/* Two words with flags in the low bits (bpo-36974 and earlier: Modules/gcmodule.c of 3.8 and later). */
typedef struct { uintptr_t next, prev; } Head;
#define HEAD_OF(o) ((Head *)(o)-1)
#define OBJECT_OF(h) ((PyObject *)((h) + 1))
#define FLAGS ((uintptr_t)3)
static inline Head *next_of(Head *h) { return (Head *)(h->next & ~FLAGS); }
static inline Head *prev_of(Head *h) { return (Head *)(h->prev & ~FLAGS); }
static inline void link_heads(Head *a, Head *b) {
    a->next = (a->next & FLAGS) | (uintptr_t)b;
    b->prev = (b->prev & FLAGS) | (uintptr_t)a;
}
static inline int head_tracked(PyObject *o) { return HEAD_OF(o)->next != 0; }
static inline int head_finalized(PyObject *o) { return HEAD_OF(o)->prev & 1; }
#else
typedef PyGC_Head Head;
#define HEAD_OF(o) ((Head *)(o)-1)
#define OBJECT_OF(h) ((PyObject *)((h) + 1))
static inline Head *next_of(Head *h) { return h->gc.gc_next; }
static inline Head *prev_of(Head *h) { return h->gc.gc_prev; }
static inline void link_heads(Head *a, Head *b) {
    a->gc.gc_next = b;
    b->gc.gc_prev = a;
}
#if HAS_tp_finalize
/* gc_refs: bit 0 is the finalized bit, the rest the state; -2 is "untracked". */
static inline int head_tracked(PyObject *o) { return (HEAD_OF(o)->gc.gc_refs >> 1) != -2; }
static inline int head_finalized(PyObject *o) { return HEAD_OF(o)->gc.gc_refs & 1; }
#else
static inline int head_tracked(PyObject *o) { return HEAD_OF(o)->gc.gc_refs != -2; }
static inline int head_finalized(PyObject *o) { return 0; }
#endif
#endif

#endif
