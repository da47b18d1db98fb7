/* Structs out of JSON objects: the reading half of field.h.
 *
 * The only place where a value's JSON type is looked at.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/wire/doc.h"
#include "ctl/wire/error.h"
#include "ctl/wire/field.h"
#include "ctl/wire/limit.h"

/* Doubles hold every integer up to here. */
#define EXACT_MAX 9007199254740992.0
/* The largest double that fits; times since the epoch in ns need it. */
#define INT64_LARGEST 9223372036854774784.0

struct reader {
    struct wire_doc *doc;
    struct wire_error *error;
    bool strict;
};

static int
refuse(struct reader *reader, const char *name, const char *what)
{
    struct wire_error *error = reader->error;
    if (error != NULL && error->code == 0) {
        (void)wire_error_set(error, WIRE_ERROR_INVALID_PARAMS,
                             "parameter '%.60s' %s", name, what);
        (void)snprintf(error->param, sizeof error->param, "%.60s", name);
    }
    return -1;
}

static int
no_memory(struct reader *reader)
{
    return wire_error_set(reader->error, WIRE_ERROR_NO_MEMORY, "no memory");
}

static int
read_string(struct reader *reader, const struct wire_field *field,
            const cJSON *json, const char **ret_string)
{
    if (!cJSON_IsString(json)) {
        return refuse(reader, field->name,
                      field->type == WIRE_STRINGS || field->type == WIRE_FLAGS
                          ? "must be an array of strings"
                          : "must be a string");
    }
    const char *string = json->valuestring;
    if (reader->strict && field->choices == NULL) {
        size_t length = strlen(string);
        if (length == 0) {
            return refuse(reader, field->name, "must not be empty");
        }
        if (length > WIRE_LIMIT_VALUE) {
            return refuse(reader, field->name, "is over 4096 bytes");
        }
        if (field->type == WIRE_PATH && string[0] != '/') {
            return refuse(reader, field->name,
                          "must be an absolute path, starting with '/'");
        }
        /* The tree, which takes ten times as much, goes. */
        char *copy = wire_doc_alloc(reader->doc, length + 1, 1);
        if (copy == NULL) {
            return no_memory(reader);
        }
        string = memcpy(copy, string, length + 1);
    }
    *ret_string = string;
    return 0;
}

static int
read_choice(struct reader *reader, const struct wire_field *field,
            const cJSON *json, int *ret_index)
{
    const char *word;
    char choices[256], text[320];
    if (read_string(reader, field, json, &word) != 0) {
        return -1;
    }
    *ret_index = wire_field_choice(field, word);
    if (*ret_index >= 0) {
        return 0;
    }
    wire_field_choices_text(field, choices, sizeof choices);
    (void)snprintf(text, sizeof text, "must be %s", choices);
    return refuse(reader, field->name, text);
}

static bool
is_whole(double number, double largest)
{
    if (number < -largest || number > largest) {
        return false;
    }
    double whole = (double)(int64_t)number;
    return !(whole < number) && !(whole > number);
}

static int
read_number(struct reader *reader, const struct wire_field *field,
            const cJSON *json, bool whole, double *ret_number)
{
    char text[96];
    double number = cJSON_IsNumber(json) ? json->valuedouble : NAN;
    double largest = reader->strict ? EXACT_MAX : INT64_LARGEST;
    if (!isfinite(number) || (whole && !is_whole(number, largest))) {
        return refuse(reader, field->name,
                      whole ? "must be an integer" : "must be a number");
    }
    if (reader->strict && field->max > field->min &&
        (number < field->min || number > field->max)) {
        (void)snprintf(text, sizeof text, "must be from %.0f to %.0f",
                       field->min, field->max);
        return refuse(reader, field->name, text);
    }
    *ret_number = number;
    return 0;
}

/* The items of an array, counted; -1 where it is none or over the limit. */
static int
read_count(struct reader *reader, const struct wire_field *field,
           const cJSON *json, size_t *ret_count)
{
    size_t count = 0;
    const cJSON *item;
    if (!cJSON_IsArray(json)) {
        return refuse(reader, field->name, "must be an array of strings");
    }
    cJSON_ArrayForEach(item, json)
    {
        count++;
    }
    if (reader->strict && count > WIRE_LIMIT_VALUES) {
        return refuse(reader, field->name, "has over 1000 entries");
    }
    if (reader->strict && count == 0 && field->type == WIRE_STRINGS) {
        return refuse(reader, field->name, "must not be empty");
    }
    *ret_count = count;
    return 0;
}

static int
read_strings(struct reader *reader, const struct wire_field *field,
             const cJSON *json, char *base)
{
    size_t count, i = 0;
    const cJSON *item;
    if (read_count(reader, field, json, &count) != 0) {
        return -1;
    }
    const char **strings =
        wire_doc_alloc(reader->doc, count + 1, sizeof *strings);
    if (strings == NULL) {
        return no_memory(reader);
    }
    cJSON_ArrayForEach(item, json)
    {
        if (read_string(reader, field, item, &strings[i++]) != 0) {
            return -1;
        }
    }
    memcpy(base + field->offset, &strings, sizeof strings);
    memcpy(base + field->count_offset, &count, sizeof count);
    return 0;
}

static int
read_flags(struct reader *reader, const struct wire_field *field,
           const cJSON *json, char *base)
{
    size_t count;
    const cJSON *item;
    unsigned flags = 0;
    if (read_count(reader, field, json, &count) != 0) {
        return -1;
    }
    cJSON_ArrayForEach(item, json)
    {
        int index;
        if (read_choice(reader, field, item, &index) != 0) {
            return -1;
        }
        flags |= 1u << index;
    }
    if (count > 0) {
        memcpy(base + field->offset, &flags, sizeof flags);
    }
    return 0;
}

static int
read_objects(struct reader *reader, const struct wire_field *field,
             const cJSON *json, char *base)
{
    size_t count, i = 0;
    const cJSON *item;
    if (read_count(reader, field, json, &count) != 0) {
        return -1;
    }
    char *objects = wire_doc_alloc(reader->doc, count + 1, field->sub->size);
    if (objects == NULL) {
        return no_memory(reader);
    }
    cJSON_ArrayForEach(item, json)
    {
        if (wire_fields_read(field->sub, item, reader->strict, reader->doc,
                             objects + field->sub->size * i++,
                             reader->error) != 0) {
            return -1;
        }
    }
    memcpy(base + field->offset, &objects, sizeof objects);
    memcpy(base + field->count_offset, &count, sizeof count);
    return 0;
}

static int
read_scalar(struct reader *reader, const struct wire_field *field,
            const cJSON *json, char *at)
{
    double number = 0;
    bool whole = field->type != WIRE_NUMBER;
    if (read_number(reader, field, json, whole, &number) != 0) {
        return -1;
    }
    if (field->type == WIRE_INT) {
        if (number < INT32_MIN || number > INT32_MAX) {
            return refuse(reader, field->name, "is too large");
        }
        int value = (int)number;
        memcpy(at, &value, sizeof value);
    } else if (field->type == WIRE_I64) {
        int64_t value = (int64_t)number;
        memcpy(at, &value, sizeof value);
    } else if (field->type == WIRE_U64) {
        if (number < 0) {
            return refuse(reader, field->name, "must not be negative");
        }
        uint64_t value = (uint64_t)number;
        memcpy(at, &value, sizeof value);
    } else {
        memcpy(at, &number, sizeof number);
    }
    return 0;
}

static int
read_word(struct reader *reader, const struct wire_field *field,
          const cJSON *json, char *at)
{
    const char *string = NULL;
    int index = 0;
    if (field->type == WIRE_CHOICE || field->type == WIRE_INDEX) {
        if (read_choice(reader, field, json, &index) != 0) {
            return -1;
        }
        if (field->type == WIRE_INDEX) {
            memcpy(at, &index, sizeof index);
            return 0;
        }
        string = field->choices[index];
    } else if (read_string(reader, field, json, &string) != 0) {
        return -1;
    }
    if (field->type == WIRE_HEX) {
        uint64_t value = string != NULL ? strtoull(string, NULL, 16) : 0;
        memcpy(at, &value, sizeof value);
        return 0;
    }
    memcpy(at, &string, sizeof string);
    return 0;
}

/* A null from a server: what it stands for. */
static void
read_null(const struct wire_field *field, char *at)
{
    if (field->type == WIRE_I64 && (field->flags & WIRE_NULLABLE) != 0) {
        int64_t unknown = -1;
        memcpy(at, &unknown, sizeof unknown);
    }
}

static int
read_value(struct reader *reader, const struct wire_field *field,
           const cJSON *json, char *base)
{
    char *at = base + field->offset;
    if (cJSON_IsNull(json) && !reader->strict) {
        read_null(field, at);
        return 0;
    }
    switch (field->type) {
    case WIRE_STRING:
    case WIRE_PATH:
    case WIRE_CHOICE:
    case WIRE_INDEX:
    case WIRE_HEX:
        return read_word(reader, field, json, at);
    case WIRE_BOOL:
        if (!cJSON_IsBool(json)) {
            return refuse(reader, field->name, "must be true or false");
        }
        *(bool *)(void *)at = cJSON_IsTrue(json) != 0;
        return 0;
    case WIRE_INT:
    case WIRE_I64:
    case WIRE_U64:
    case WIRE_NUMBER:
        return read_scalar(reader, field, json, at);
    case WIRE_STRINGS:
        return read_strings(reader, field, json, base);
    case WIRE_FLAGS:
        return read_flags(reader, field, json, base);
    case WIRE_OBJECT:
        return wire_fields_read(field->sub, json, reader->strict, reader->doc,
                                at, reader->error);
    case WIRE_OBJECTS:
        return read_objects(reader, field, json, base);
    case WIRE_LIMITS:
        break;
    }
    return 0;
}

static size_t
row_of(const struct wire_fields *fields, const char *name)
{
    size_t row = 0;
    while (row < fields->count &&
           ((fields->rows[row].flags & WIRE_CLIENT) != 0 ||
            strcmp(fields->rows[row].name, name) != 0)) {
        row++;
    }
    return row;
}

int
wire_fields_read(const struct wire_fields *fields, const cJSON *object,
                 bool strict, struct wire_doc *doc, void *base,
                 struct wire_error *error)
{
    struct reader reader = {.doc = doc, .error = error, .strict = strict};
    uint64_t seen = 0;
    const cJSON *member;

    wire_fields_preset(fields, base);
    if (object != NULL && !cJSON_IsObject(object)) {
        return wire_error_set(error, WIRE_ERROR_INVALID_PARAMS,
                              "'params' must be an object");
    }
    cJSON_ArrayForEach(member, object)
    {
        size_t row = row_of(fields, member->string);
        if (row == fields->count) {
            if (strict) {
                return refuse(&reader, member->string, "is unknown");
            }
            continue;
        }
        if ((seen & UINT64_C(1) << row) != 0) {
            return refuse(&reader, member->string, "is given twice");
        }
        seen |= UINT64_C(1) << row;
        if (read_value(&reader, &fields->rows[row], member, base) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; strict && i < fields->count; i++) {
        if ((fields->rows[i].flags & WIRE_REQUIRED) != 0 &&
            (seen & UINT64_C(1) << i) == 0) {
            return refuse(&reader, fields->rows[i].name, "is missing");
        }
    }
    return 0;
}
