"""What people and bots write in Spanish, French and German."""

from __future__ import annotations

from migrations.sample.language import Language

SPANISH = Language(
    code="es",
    items=(
        *(
            "tacos al pastor",
            "paella",
            "tortilla española",
            "empanadas",
            "café con leche",
            "churros",
            "gazpacho",
        ),
        *("croquetas de jamón", "ceviche", "arepas", "pulpo a la gallega", "flan de coco"),
    ),
    counts=("uno", "dos", "tres", "cuatro", "cinco", "seis", "diez"),
    places=("el centro", "la estación", "Chamberí", "el aeropuerto", "Polanco", "Triana", "Palermo"),
    times=("mediodía", "las nueve", "mañana temprano", "el viernes", "hace una hora"),
    topics=("el alquiler", "el seguro médico", "las vacaciones", "las devoluciones", "los gastos de viaje"),
    asks=(
        "Hola, quiero pedir {item} para {count}",
        "¿Todavía tienen {item} hoy?",
        "¿Cuánto cuesta {item}?",
        "¿Pueden llevar {item} a {place}?",
        "Mi pedido de {time} aún no ha llegado",
        "Una mesa para {count} a {time}, por favor",
        "Cambien la dirección a {place}, por favor",
    ),
    answers=(
        "Perfecto, {item} para {count} llegará antes de {time}",
        "Lo sentimos, ya no queda {item}",
        "El local de {place} cierra a las diez",
        "Su mesa para {count} queda reservada",
        "El repartidor acaba de salir de {place}",
    ),
    closings=("muchas gracias", "sin prisa", "lo antes posible", "pago en efectivo"),
    questions=(
        "¿Qué dice el manual sobre {topic}?",
        "Resume la sección de {topic}",
        "¿En qué página está {topic}?",
    ),
    passages=(
        "Según el acuerdo, {topic} debe fijarse por escrito en un plazo de treinta días.",
        "El capítulo sobre {topic} exige {count} copias firmadas de la solicitud.",
        "Las preguntas sobre {topic} se atienden en la oficina de {place}.",
    ),
    chatter=(
        "{symbol} viene fuerte hoy",
        "¿alguien sigue con {symbol}?",
        "mejor esperar a que baje {symbol}",
        "vendí {symbol}, hoy toca {item}",
    ),
)

FRENCH = Language(
    code="fr",
    items=(
        *(
            "croque-monsieur",
            "quiche lorraine",
            "café crème",
            "ratatouille",
            "bœuf bourguignon",
            "tarte tatin",
        ),
        *("crêpe au sucre", "soupe à l’oignon", "moules-frites", "blanquette de veau", "cassoulet"),
    ),
    counts=("un", "deux", "trois", "quatre", "cinq", "six", "dix"),
    places=("la gare", "Montmartre", "Bellecour", "le vieux port", "la Défense", "Wazemmes"),
    times=("midi", "vingt heures", "demain matin", "vendredi soir", "il y a une heure"),
    topics=("le bail", "la mutuelle", "les congés payés", "les retours", "les frais de déplacement"),
    asks=(
        "Bonjour, je voudrais commander {item} pour {count}",
        "Avez-vous encore {item} en carte ce soir ?",
        "Combien coûte {item} ?",
        "Pouvez-vous livrer {item} à {place} ?",
        "Ma commande ({time}) pas encore reçue",
        "Une table pour {count}, {time}, merci de confirmer",
    ),
    answers=(
        "Très bien, {item} pour {count}, prêt avant {time}",
        "Désolé, {item} : rupture de stock",
        "Le restaurant de {place} ferme à vingt-deux heures",
        "Votre table pour {count} est réservée",
        "Le livreur vient de quitter {place}",
    ),
    closings=("merci beaucoup", "à tout de suite", "sans urgence", "paiement à la livraison"),
    questions=(
        "Que dit le guide sur {topic} ?",
        "Résume la partie sur {topic}",
        "À quelle page trouve-t-on {topic} ?",
    ),
    passages=(
        "Selon la convention, {topic} : accord écrit sous trente jours obligatoire.",
        "Le chapitre sur {topic} demande {count} exemplaires signés du formulaire.",
        "Pour toute question sur {topic}, le bureau de {place} répond sous deux jours ouvrés.",
    ),
    chatter=(
        "{symbol} monte bien ce matin",
        "qui garde encore {symbol} ?",
        "attendons une baisse de {symbol}",
        "{symbol} vendu, place au repas : {item}",
    ),
)

GERMAN = Language(
    code="de",
    items=(
        *(
            "Currywurst",
            "Käsespätzle",
            "Schnitzel",
            "Apfelschorle",
            "Kartoffelsalat",
            "Maultaschen",
            "Brezel",
        ),
        *("Sauerbraten", "Flammkuchen", "Königsberger Klopse", "Rote Grütze", "Labskaus"),
    ),
    counts=("einmal", "zweimal", "dreimal", "viermal", "fünfmal", "zehnmal"),
    places=("am Bahnhof", "in Schwabing", "in Altona", "am Flughafen", "in Ehrenfeld", "in Gohlis"),
    times=("mittags", "um sieben", "morgen früh", "Freitagabend", "vor einer Stunde"),
    topics=("Mietvertrag", "Krankenversicherung", "Urlaubsanspruch", "Rückgabe", "Reisekosten"),
    asks=(
        "Hallo, ich hätte gern {count} {item}",
        "Gibt es heute noch {item}?",
        "Was kostet {item}?",
        "Liefert ihr auch {place}? {count} {item} bitte",
        "Meine Bestellung ist noch nicht da, bestellt {time}",
        "Einen Tisch {place} bitte, {time}",
    ),
    answers=(
        "Gern, {count} {item}, fertig {time}",
        "Leider ist {item} ausverkauft",
        "Die Filiale {place} hat bis 22 Uhr geöffnet",
        "Ihr Tisch ist reserviert, {time}",
        "Der Bote ist gerade losgefahren, {place}",
    ),
    closings=("vielen Dank", "danke euch", "eilt nicht", "bitte schnell", "Barzahlung"),
    questions=(
        "Was steht im Handbuch zum Thema {topic}?",
        "Fasse den Abschnitt {topic} zusammen",
        "Auf welcher Seite steht {topic}?",
    ),
    passages=(
        "Laut Vereinbarung ist das Thema {topic} innerhalb von dreißig Tagen schriftlich zu regeln.",
        "Das Kapitel {topic} verlangt, das Formular {count} unterschrieben einzureichen.",
        "Fragen zum Thema {topic} beantwortet das Büro {place} binnen zwei Werktagen.",
    ),
    chatter=(
        "{symbol} läuft heute gut",
        "hält noch jemand {symbol}?",
        "bei {symbol} lieber warten",
        "{symbol} verkauft, jetzt gibt es {item}",
    ),
)
