"""What characters are, wear and carry, in English, German, French and Spanish. Data only: ``character`` reads it.

Whole words; an underscore joins words that must stand together. A role is a kind of figure with what belongs to it.
"""

from __future__ import annotations

COLOURS: dict[str, tuple[str, str]] = {
    "red": ("#d81f26", "red crimson scarlet ruby rot rote roten roter rotes rotem rouge rouges rojo roja rojos rojas"),
    "orange": ("#f07a1e", "orange amber orangefarben orangefarbene naranja"),
    "yellow": (
        "#f6cf2a",
        "yellow gelb gelbe gelben gelber gelbes gelbem jaune jaunes amarillo amarilla amarillos amarillas",
    ),
    "gold": ("#e3b040", "gold golden goldene goldenen goldener goldenes goldenem doré dorée dorés dorado dorada oro"),
    "bronze": ("#a8703a", "bronze copper brass kupfern kupferne kupferner bronzen messing cuivre cobre bronce"),
    "green": (
        "#2f9a4c",
        "green emerald lime olive grün grüne grünen grüner grünes grünem vert verte verts vertes verde verdes",
    ),
    "teal": ("#1fa6a0", "teal turquoise cyan türkis türkise türkisen turquesa"),
    "blue": ("#2a62c8", "blue azure cobalt blau blaue blauen blauer blaues blauem bleu bleue bleus bleues azul azules"),
    "navy": ("#1f2f5c", "navy indigo dunkelblau dunkelblaue dunkelblauen marine"),
    "purple": (
        "#7a3cc0",
        "purple violet lila violett violette violetten violet_clair mauve púrpura morado morada violeta",
    ),
    "pink": ("#f07aa8", "pink magenta rosa rosafarben rosafarbene rosafarbenen rose_pâle"),
    "brown": (
        "#7a4e2e",
        "brown braun braune braunen brauner braunes braunem brun brune marron marrón marrones castaño castaña",
    ),
    "white": (
        "#f0f0ee",
        (
            "white ivory snow-white weiß weiss weiße weißen weißer weißes weißem blanc blanche blancs blanches blanco "
            "blanca blancos blancas"
        ),
    ),
    "grey": ("#84888e", "grey gray grau graue grauen grauer graues grauem gris grise grises"),
    "black": (
        "#26262c",
        (
            "black schwarz schwarze schwarzen schwarzer schwarzes schwarzem noir noire noirs noires negro negra "
            "negros negras"
        ),
    ),
    "silver": (
        "#cdd2da",
        (
            "silver silvery chrome steel silbern silberne silbernen silberner silbernes silbernem silbrig silbrige "
            "argenté argentée argent plateado plateada plata"
        ),
    ),
}
"""A colour's tone, and its words."""

METALLIC = (
    "metal metallic metallisch metallische metallischen metallischer metallisches chrome chromed steel iron "
    "brass bronze copper silver "
    "silvery golden gold shiny polished silbern silberne silbernen silberner golden goldene goldenen goldener "
    "stählern stählerne eisern eiserne "
    "glänzend glänzende métal métallique métalliques acier doré dorée argenté argentée metálico metálica "
    "metálicos acero dorado dorada "
    "plateado plateada"
)

WEAR: dict[str, str] = {
    "shield": "shield buckler schild schilde bouclier escudo",
    "sword": "sword blade saber sabre katana schwert säbel épée espada",
    "staff": "staff cane stick spear lance wizard_staff stab stock speer bâton canne bastón lanza",
    "lantern": "lantern lamp torch laterne lampe fackel lanterne torche linterna farol antorcha lámpara",
    "umbrella": "umbrella parasol regenschirm schirm sonnenschirm parapluie ombrelle paraguas sombrilla",
    "flag": "flag banner fahne flagge drapeau bannière bandera estandarte",
    "balloon": "balloon ballon luftballon globo",
    "guitar": "guitar ukulele gitarre guitare guitarra",
    "hat": "hat fedora stetson sombrero straw_hat cowboy_hat hut hute strohhut chapeau",
    "pointed_hat": "pointed_hat wizard_hat witch_hat spitzhut zauberhut chapeau_pointu",
    "cap": "cap beret beanie mütze kappe casquette béret bonnet gorra gorro boina",
    "helmet": "helmet helm casque casco yelmo",
    "crown": "crown tiara diadem krone couronne corona",
    "cape": "cape cloak mantle umhang capa",
    "backpack": "backpack rucksack knapsack rucksacks sac_à_dos mochila",
    "camera": "camera kamera fotoapparat fotokamera appareil_photo caméra cámara",
    "scarf": "scarf shawl schal halstuch écharpe foulard bufanda",
    "dress": "dress gown skirt kleid ballkleid rock robe_du_soir robe jupe vestido falda",
    "robe": "robes kimono kutte habit túnica kimono",
    "coat": "coat trench_coat overcoat raincoat mantel regenmantel trenchcoat manteau imperméable abrigo gabardina",
    "top": (
        "shirt jacket sweater jumper pullover hoodie suit t_shirt blouse vest uniform armor armour hemd jacke "
        "pulli anzug bluse weste rüstung "
        "chemise veste pull costume gilet armure camisa chaqueta jersey traje chaleco armadura"
    ),
    "lower": "trousers pants jeans shorts hose jeanshose pantalon pantalones",
    "boots": "boots shoes stiefel schuhe bottes chaussures botas zapatos",
    "gloves": "gloves handschuhe gants guantes",
    "hair": "hair haar haare haaren haired cheveux pelo cabello",
    "beard": "beard moustache bearded bart schnurrbart bärtiger barbe moustache barbu barba bigote barbudo",
    "glasses": "glasses spectacles sunglasses brille sonnenbrille lunettes gafas",
}
"""A thing's words."""

ROLES: dict[str, tuple[str, str, str]] = {
    "tourist": (
        "person",
        "hat:#e8d8b0 backpack:#3f6b46 camera:#222226 top:#3a86c8 lower:#b79a6a",
        "tourist sightseer holidaymaker touristin urlauber urlauberin touriste vacancier turista",
    ),
    "hiker": (
        "person",
        "backpack:#c8502a cap:#4a5a3a top:#5a7a4a lower:#5a4a3a staff:#8a6a44",
        (
            "hiker backpacker traveller traveler wanderer explorer pilgrim mountaineer climber adventurer "
            "wandererin bergsteiger entdecker abenteurer "
            "forscher reisender reisende randonneur randonneuse voyageur voyageuse explorateur exploratrice "
            "alpiniste senderista viajero viajera explorador "
            "exploradora excursionista alpinista"
        ),
    ),
    "keeper": (
        "man",
        "cap:#20283c coat:#24406a lantern:#d8a050 beard:#d8d4cc top:#24406a lower:#2a2e38",
        "keeper lighthouse_keeper leuchtturmwärter leuchtturmwärterin wärter gardien gardien_de_phare farero guardián",
    ),
    "sailor": (
        "man",
        "cap:#f0f0ee top:#24406a lower:#e8e6e0 beard:#6a4a30",
        "sailor captain fisherman matrose kapitän seemann fischer marin capitaine pêcheur marinero capitán pescador",
    ),
    "knight": (
        "man",
        "helmet:#c4c9d2 shield:#b8232a sword:#d8dce2 cape:#7a1f2a top:#aeb4be lower:#8a9098 metal",
        "knight paladin warrior crusader ritter krieger kriegerin chevalier guerrier guerrière caballero guerrero guerrera",
    ),
    "king": (
        "man",
        "crown:#e8b838 cape:#a01e32 beard:#8a5a34 top:#6a2a7a lower:#3a2a4a",
        "king emperor könig kaiser roi empereur rey emperador",
    ),
    "queen": (
        "woman",
        "crown:#e8b838 dress:#7a3cc0 cape:#f0e8e0",
        "queen princess empress königin prinzessin kaiserin reine princesse impératrice reina princesa emperatriz",
    ),
    "wizard": (
        "man",
        "pointed_hat:#3a3a9a robe:#3a3a9a staff:#7a5a34 beard:#e8e6e0",
        "wizard sorcerer magician mage zauberer magier magicien sorcier mago hechicero",
    ),
    "witch": (
        "woman",
        "pointed_hat:#2a2430 robe:#3a2a4a staff:#7a5a34",
        "witch sorceress hexe zauberin sorcière bruja hechicera",
    ),
    "monk": ("man", "robe:#8a5a30", "monk mönch moine monje"),
    "samurai": ("man", "robe:#2a2e40 sword:#d8dce2 helmet:#7a2a2a", "samurai ninja"),
    "pirate": (
        "man",
        "hat:#26222a coat:#7a2a2a sword:#d8dce2 beard:#3a2a20 top:#7a2a2a lower:#3a342e",
        "pirate pirat piratin corsaire pirata corsario",
    ),
    "hero": (
        "man",
        "cape:#d81f26 boots:#d81f26 top:#2a62c8 lower:#2a4a9a",
        "hero superhero heroine superheroine held heldin superheld superheldin héros héroïne héroe heroína superhéroe",
    ),
    "detective": (
        "man",
        "hat:#5a4a3a coat:#a08a64 top:#a08a64 lower:#3a3a40",
        "detective spy detektiv detektivin spion détective espion detective_privado detective espía",
    ),
    "cowboy": (
        "man",
        "hat:#8a5a34 boots:#6a3a20 scarf:#c8322a top:#9a6a3a lower:#3a5a8a",
        "cowboy cowgirl rancher vaquero vaquera",
    ),
    "musician": (
        "person",
        "guitar:#b8742e hat:#3a3030 top:#7a3a3a lower:#3a4258",
        (
            "musician guitarist singer busker musiker musikerin gitarrist sänger sängerin musicien musicienne "
            "chanteur chanteuse guitariste músico música "
            "guitarrista cantante"
        ),
    ),
    "photographer": (
        "person",
        "camera:#222226 cap:#3a4258 top:#6a7a5a lower:#4a4a50",
        "photographer fotograf fotografin photographe fotógrafo fotógrafa",
    ),
    "old_man": (
        "man",
        "beard:#e4e2dc hair:#e4e2dc coat:#5a5248 top:#5a5248",
        "old_man alter_mann vieil_homme anciano viejo",
    ),
    "grandmother": (
        "woman",
        "hair:#dcdad4 glasses:#222222 dress:#5a4a7a scarf:#c87a8a",
        "grandmother old_woman granny großmutter oma grand-mère abuela",
    ),
    "grandfather": (
        "man",
        "beard:#e4e2dc hair:#e4e2dc glasses:#222222 cap:#5a5248",
        "grandfather großvater opa grand_père abuelo",
    ),
    "dancer": (
        "dancer",
        "dress:#e0447a",
        "dancer ballerina tänzer tänzerin ballerine danseur danseuse bailarín bailarina",
    ),
    "astronaut": (
        "astronaut",
        "",
        (
            "astronaut cosmonaut spaceman spacewoman astronautin raumfahrer raumfahrerin kosmonaut "
            "astronaute cosmonaute astronauta"
        ),
    ),
    "robot": ("robot", "", "robot android droid cyborg mech humanoid roboter androide robots roboters"),
    "child": (
        "child",
        "",
        "child kid boy girl toddler kind mädchen junge bub enfant garçon fille garçonnet fillette niño niña chico chica",
    ),
    "woman": (
        "woman",
        "",
        "woman lady girlfriend mother bride frau dame mutter braut femme mère mariée mujer señora madre novia",
    ),
    "man": (
        "man",
        "",
        "man guy gentleman father mann herr vater homme monsieur père hombre señor padre caballero_viejo",
    ),
    "person": (
        "person",
        "",
        (
            "person someone somebody human stranger figure people student teacher mensch jemand person fremder fremde personne "
            "quelqu inconnu persona alguien desconocido desconocida"
        ),
    ),
}
"""A kind of figure, what it wears unless the words say otherwise, and its words."""
