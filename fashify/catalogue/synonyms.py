"""What other tables call our columns, by language; compared without case, spaces and marks.

Within a field the names stand in the order of their weight: a table with both ``product_type``
and ``category`` takes the first as article type and keeps the second under its own name.
"""

from __future__ import annotations

#: Names that are certain: our own and Kaggle's.
OWN = {
    "item_id": ("item_id", "id"),
    "gender": ("gender",),
    "master_category": ("masterCategory",),
    "sub_category": ("subCategory",),
    "article_type": ("articleType",),
    "base_colour": ("baseColour",),
    "season": ("season",),
    "year": ("year",),
    "usage": ("usage",),
    "name": ("productDisplayName", "name"),
    "path": ("path", "image", "image_path"),
}

#: field -> language -> names, the weightier first.
SYNONYMS: dict[str, dict[str, tuple[str, ...]]] = {
    "item_id": {
        "en": (
            "product_id", "item id", "article_id", "style_id", "style id", "product no",
            "product number", "item number", "item no", "article number", "article no", "handle",
            "sku", "product sku", "variant sku", "product code", "item code", "style code",
            "style number", "model number", "uniq_id", "unique id", "asin", "gtin", "ean",
            "barcode", "mpn", "product ref", "reference", "ref", "key", "uid", "pid", "code",
        ),
        "de": (
            "artikelnummer", "artikel nr", "art nr", "artikelnr", "produktnummer", "produkt id",
            "artikel id", "bestellnummer", "nummer",
        ),
        "fr": (
            "référence", "référence produit", "id produit", "identifiant", "code article",
            "code produit", "numéro d'article", "numéro",
        ),
        "es": (
            "id producto", "id del producto", "referencia", "código", "código de producto",
            "identificador", "número de artículo",
        ),
        "it": (
            "id prodotto", "codice", "codice prodotto", "codice articolo", "riferimento",
            "identificativo", "numero articolo",
        ),
        "zh": ("商品编号", "商品id", "产品编号", "产品id", "货号", "商品编码", "编号", "款号"),
        "ja": ("商品番号", "商品id", "商品コード", "品番", "商品管理番号", "番号", "管理番号"),
        "hi": ("उत्पाद आईडी", "उत्पाद क्रमांक", "उत्पाद संख्या", "आईडी", "क्रमांक"),
    },
    "name": {
        "en": (
            "product display name", "product name", "prod name", "title", "product title",
            "item name", "display name", "article name", "item title", "style name",
            "product",
        ),
        "de": ("produktname", "artikelname", "bezeichnung", "artikelbezeichnung", "titel", "artikel"),
        "fr": ("nom", "nom du produit", "nom produit", "titre", "désignation", "libellé", "intitulé"),
        "es": ("nombre", "nombre del producto", "nombre producto", "título", "denominación"),
        "it": ("nome", "nome prodotto", "nome del prodotto", "titolo", "denominazione"),
        "zh": ("商品名称", "产品名称", "商品名", "名称", "标题", "品名"),
        "ja": ("商品名", "名称", "品名", "タイトル", "製品名"),
        "hi": ("उत्पाद का नाम", "उत्पाद नाम", "नाम", "शीर्षक"),
    },
    "article_type": {
        "en": (
            "article type", "article_type_name", "article type type name", "product type", "product_type_name",
            "product type name", "item type", "garment type", "clothing type", "category",
            "category name", "product category", "item category", "categories", "category label",
            "google product category", "type", "class", "kind", "label", "label name",
        ),
        "de": (
            "produkttyp", "artikeltyp", "produktart", "artikelart", "kategorie", "kategorien",
            "warengruppe", "produktkategorie", "typ", "art",
        ),
        "fr": ("type de produit", "type d'article", "catégorie", "catégories", "type produit"),
        "es": (
            "tipo de producto", "tipo de artículo", "tipo de prenda", "categoría", "categorías",
            "tipo",
        ),
        "it": (
            "tipo di prodotto", "tipo prodotto", "tipo di articolo", "tipologia", "categoria",
            "categorie",
        ),
        "zh": ("商品类型", "产品类型", "商品类别", "产品类别", "品类", "类别", "类目", "分类", "类型"),
        "ja": ("商品タイプ", "商品種別", "アイテム", "カテゴリー", "カテゴリ", "種類", "分類", "種別"),
        "hi": ("उत्पाद प्रकार", "वस्तु प्रकार", "श्रेणी", "प्रकार", "वर्ग"),
    },
    "master_category": {
        "en": ("master category", "master category type name", "main category", "top category", "department", "category1",
               "category level 1", "category l1", "level 1", "parent category"),
        "de": ("hauptkategorie", "oberkategorie", "hauptgruppe", "abteilung"),
        "fr": ("catégorie principale", "rayon", "univers"),
        "es": ("categoría principal", "departamento", "sección"),
        "it": ("categoria principale", "reparto"),
        "zh": ("主类别", "一级类目", "一级分类", "大类"),
        "ja": ("大カテゴリ", "大カテゴリー", "大分類", "部門"),
        "hi": ("मुख्य श्रेणी",),
    },
    "sub_category": {
        "en": ("sub category", "sub category type name", "subcategory name", "sub category name", "category2",
               "category level 2", "category l2", "level 2"),
        "de": ("unterkategorie", "subkategorie", "untergruppe"),
        "fr": ("sous-catégorie", "sous catégorie", "sous-famille"),
        "es": ("subcategoría", "sub categoría"),
        "it": ("sottocategoria", "sotto categoria"),
        "zh": ("子类别", "二级类目", "二级分类", "小类", "子分类"),
        "ja": ("サブカテゴリ", "サブカテゴリー", "中カテゴリ", "中分類", "小分類"),
        "hi": ("उप श्रेणी", "उपश्रेणी"),
    },
    "base_colour": {
        "en": (
            "base color", "colour", "color", "colour name", "color name", "primary color",
            "primary colour", "main colour", "main color", "product color", "product colour",
            "colour_group_name", "color group name", "color label", "colour label",
            "dominant color", "dominant colour",
        ),
        "de": ("farbe", "grundfarbe", "hauptfarbe", "farbname", "farbbezeichnung"),
        "fr": ("couleur", "couleur principale", "coloris", "couleur de base"),
        "es": ("color principal", "color base", "nombre del color"),
        "it": ("colore", "colore principale", "colore base"),
        "zh": ("颜色", "主颜色", "颜色名称", "色彩"),
        "ja": ("色", "カラー", "ベースカラー", "カラー名", "基本色"),
        "hi": ("रंग", "मुख्य रंग"),
    },
    "gender": {
        "en": (
            "sex", "target gender", "google shopping gender", "gender name", "ideal for",
            "target audience", "for gender",
        ),
        "de": ("geschlecht", "zielgruppe"),
        "fr": ("genre", "sexe"),
        "es": ("género", "sexo"),
        "it": ("genere", "sesso"),
        "zh": ("性别", "适用性别"),
        "ja": ("性別", "対象性別"),
        "hi": ("लिंग",),
    },
    "season": {
        "en": ("season name",),
        "de": ("saison", "jahreszeit"),
        "fr": ("saison",),
        "es": ("temporada", "estación"),
        "it": ("stagione",),
        "zh": ("季节", "适用季节"),
        "ja": ("季節", "シーズン"),
        "hi": ("मौसम", "ऋतु"),
    },
    "year": {
        "en": ("model year", "launch year", "release year"),
        "de": ("jahr", "jahrgang", "erscheinungsjahr"),
        "fr": ("année",),
        "es": ("año",),
        "it": ("anno",),
        "zh": ("年份", "年"),
        "ja": ("年", "発売年"),
        "hi": ("वर्ष", "साल"),
    },
    "usage": {
        "en": ("occasion", "use", "usage type", "wear type"),
        "de": ("anlass", "verwendung", "verwendungszweck"),
        "fr": ("utilisation", "occasion d'usage", "usage produit"),
        "es": ("uso", "ocasión"),
        "it": ("uso", "occasione", "utilizzo"),
        "zh": ("用途", "场合", "使用场景"),
        "ja": ("用途", "使用シーン", "シーン"),
        "hi": ("उपयोग", "अवसर"),
    },
    "path": {
        "en": (
            "image path", "image file", "image filename", "image file name", "file name",
            "filename", "file", "file path", "filepath", "image name", "picture", "photo",
            "picture path", "photo path", "picture file", "photo file", "image_link",
            "image link", "image url", "image src", "img", "img path", "img url", "img src",
            "image urls", "images", "image links", "image paths", "pictures", "photos",
            "main image", "primary image", "featured image", "default image", "front image",
            "image id", "picture url", "photo url", "media", "variant image",
            "additional_image_link", "additional image links", "additional images",
            "additional image", "gallery", "back image", "other images", "alternate images",
            "search image", "product image", "product images", "product image url",
        ),
        "de": (
            "bild", "bilddatei", "bildpfad", "bildname", "dateiname", "datei", "bild url",
            "bilder", "foto", "fotos", "abbildung", "weitere bilder", "zusatzbilder",
        ),
        "fr": (
            "chemin", "fichier", "nom du fichier", "nom de fichier", "lien image", "url image",
            "chemin image", "fichier image", "image principale", "autres images",
        ),
        "es": (
            "imagen", "ruta", "archivo", "nombre de archivo", "nombre del archivo", "url imagen",
            "foto", "enlace imagen", "imágenes", "ruta imagen",
        ),
        "it": (
            "immagine", "percorso", "nome file", "url immagine", "immagini", "percorso immagine",
            "link immagine", "file immagine",
        ),
        "zh": (
            "图片", "图片路径", "图片文件", "图片名称", "图片链接", "图像", "主图", "文件名", "照片",
            "图片地址",
        ),
        "ja": (
            "画像", "画像パス", "画像ファイル", "画像ファイル名", "画像url", "ファイル名", "写真",
            "商品画像", "メイン画像",
        ),
        "hi": ("छवि", "चित्र", "तस्वीर", "फ़ाइल", "फ़ाइल नाम", "छवि पथ", "फोटो"),
    },
}  # fmt: skip

LANGUAGES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian",
    "zh": "Chinese", "ja": "Japanese", "hi": "Hindi",
}  # fmt: skip
