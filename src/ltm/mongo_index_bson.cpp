#include "ltm/mongo_index_bson.hpp"

#include "ltm/memory_bson.hpp"

#include <bson/bson.h>
#include <string_view>

namespace maas::ltm {

MongoIndex index_of(const bson_t* listed) {
  MongoIndex index{.name = text_field(listed, "name"), .keys = {}};
  bson_iter_t field;
  if (!bson_iter_init(&field, listed)) return index;
  while (bson_iter_next(&field)) {
    const std::string_view name = bson_iter_key(&field);
    bson_iter_t key;
    if (name == "key" && bson_iter_recurse(&field, &key)) {
      while (bson_iter_next(&key)) {
        const int direction =
            BSON_ITER_HOLDS_NUMBER(&key) ? static_cast<int>(bson_iter_as_int64(&key)) : 0;
        index.keys.emplace_back(bson_iter_key(&key), direction);
      }
    } else if (name == "partialFilterExpression" || name == "collation") {
      index.property = name;
    } else if ((name == "unique" || name == "sparse" || name == "hidden") &&
               bson_iter_as_bool(&field)) {
      index.property = name;
    }
  }
  return index;
}

}  // namespace maas::ltm
