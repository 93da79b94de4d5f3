/* The table of objects of the running scenario, and from an address to its number. */
#include "probe.h"
#include <stdlib.h>

HIDDEN Probe P;

/* Open addressing, linear probing, deletion by shifting back. Only objects that cannot carry their number. */
static struct { PyObject *key; uint32_t id; } *slots;
static size_t mask, used;

static size_t home(PyObject *o) { return (size_t)(((uintptr_t)o >> 4) * 0x9e3779b97f4a7c15u >> 20) & mask; }

static void put(PyObject *o, uint32_t id) {
    size_t i = home(o);
    while (slots[i].key && slots[i].key != o) i = (i + 1) & mask;
    if (!slots[i].key) used++;
    slots[i].key = o;
    slots[i].id = id;
}

static int grow(void) {
    size_t n = slots ? (mask + 1) * 2 : 1024, i, old_n = slots ? mask + 1 : 0;
    void *fresh = calloc(n, sizeof *slots);
    __typeof__(slots) old = slots;
    if (!fresh) return -1;
    slots = fresh;
    mask = n - 1;
    used = 0;
    for (i = 0; i < old_n; i++)
        if (old[i].key) put(old[i].key, old[i].id);
    free(old);
    return 0;
}

static void forget(PyObject *o) {
    size_t i, hole;
    if (!slots) return;
    for (i = home(o); slots[i].key != o; i = (i + 1) & mask)
        if (!slots[i].key) return;
    hole = i;
    used--;
    for (;;) {
        i = (i + 1) & mask;
        if (!slots[i].key) break;
        if (((i - home(slots[i].key)) & mask) >= ((i - hole) & mask)) {
            slots[hole] = slots[i];
            hole = i;
        }
    }
    slots[hole].key = NULL;
}

uint32_t table_add(PyObject *o, const Kind *kind) {
    Entry *e;
    if (P.n_entries + 1 >= P.cap_entries) {
        uint32_t cap = P.cap_entries ? P.cap_entries * 2 : 1024;
        Entry *grown = realloc(P.entries, cap * sizeof(Entry));
        if (!grown) return 0;
        P.entries = grown;
        P.cap_entries = cap;
    }
    e = &P.entries[++P.n_entries];
    e->object = o;
    e->kind = kind;
    e->origin = 0;
    e->referent = 0;
    e->mark = 0;
    e->keys = NULL;
    e->number = 0;
    e->role = e->registered = e->put_off = e->lost_values = 0;
    e->header = (uint8_t)gc_has_header(o);
    if (!is_node(o)) {
        if ((!slots || used * 2 > mask) && grow() < 0) return 0;
        put(o, P.n_entries);
    }
    return P.n_entries;
}

uint32_t id_of(PyObject *o) {
    size_t i;
    if (is_node(o)) return ((Node *)o)->id;
    if (!slots) return 0;
    for (i = home(o); slots[i].key; i = (i + 1) & mask)
        if (slots[i].key == o) return slots[i].id;
    return 0;
}

void table_remove(uint32_t id) {
    PyObject *o = P.entries[id].object;
    P.entries[id].object = NULL;
    free(P.entries[id].keys);
    P.entries[id].keys = NULL;
    if (!is_extension_shape(P.entries[id].kind->shape)) forget(o);
}

void table_reset(void) { P.n_entries = 0; }
