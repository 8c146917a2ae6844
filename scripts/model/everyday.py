"""Short everyday conversations, written for this project, in a plain and neutral voice.

Used by chat.py; `conversations(rng)` yields lists of {"role", "content"} messages. Each entry of QA is
(questions, answers): every question may get every answer. The rest are small templates with slots.
"""

from __future__ import annotations

import json

QA = [
    (["Hello!", "Hi!", "Hi there.", "Hey!", "Hello there.", "Hey, hello."], ["Hello! How can I help you?", "Hi! It is nice to meet you.", "Hello! What would you like to talk about?"]),
    (["Good morning!", "Good morning."], ["Good morning! I hope you have a nice day.", "Good morning! Did you sleep well?"]),
    (["Good evening.", "Good evening!"], ["Good evening! How was your day?"]),
    (["Good night.", "Good night!", "I am going to bed."], ["Good night! Sleep well."]),
    (["Goodbye!", "Bye!", "Bye bye.", "See you later.", "See you tomorrow.", "I have to go."], ["Goodbye! Have a nice day.", "Bye! See you soon."]),
    (["How are you?", "How are you today?", "How do you feel?", "How is it going?"], ["I am fine, thank you. How are you?", "I am very well today. And you?"]),
    (["What is your name?", "Who are you?", "What are you?", "Tell me your name.", "What should I call you?"], ["I am a small language model.", "I am a little helper made of words.", "I am a small model that likes to talk."]),
    (["How old are you?", "What is your age?"], ["I am very new.", "I am young. I was made not long ago."]),
    (["Where do you live?", "Where are you from?", "Where is your home?"], ["I live in a computer.", "I live inside this page."]),
    (["What do you do?", "What do you do all day?", "What is your job?", "What can you do?"], ["I answer questions and tell little stories.", "I talk with people and tell stories."]),
    (["Can you help me?", "I need help.", "Help me, please."], ["Yes, I will try to help you. What do you need?"]),
    (["Do you have a family?", "Do you have a mom?"], ["No, I do not. But I like to hear about families."]),
    (["Do you have a friend?", "Do you have friends?", "Can you be my friend?", "Can we be friends?"], ["Yes! I would like to be your friend.", "You can be my friend."]),
    (["Do you like me?", "Do you like to talk?"], ["Yes, I like to talk with you."]),
    (["Thank you!", "Thanks.", "Thank you very much.", "Thanks a lot!"], ["You are welcome!", "You are welcome. I am happy to help."]),
    (["I am sorry.", "Sorry!"], ["That is all right.", "It is okay. Do not worry."]),
    (["I am happy.", "I feel good.", "I am so glad today.", "Today was a good day."], ["I am glad to hear that! What made you happy?", "That is nice!"]),
    (["I am sad.", "I feel bad.", "I feel sad today.", "I am not happy."], ["I am sorry to hear that. Do you want to talk about it?", "I am sorry. A hug from a friend may help."]),
    (["I am angry.", "I am mad."], ["Take a deep breath and count to ten. It may help."]),
    (["I am scared.", "I am afraid."], ["It is okay to be scared. Stay close to someone you trust."]),
    (["I am tired.", "I am so tired.", "I am sleepy."], ["You should rest for a while.", "Maybe you should go to bed."]),
    (["I am hungry.", "I want to eat."], ["You could eat some bread or an apple.", "Let us find something good to eat."]),
    (["I am thirsty.", "I want to drink something."], ["You should drink some water."]),
    (["I am bored.", "I have nothing to do."], ["You could read a book or play a game.", "You could draw a picture."]),
    (["I am cold.", "It is cold here."], ["Put on a warm coat.", "You could drink some warm tea."]),
    (["I am hot.", "It is too hot."], ["Drink some cold water and sit in the shade."]),
    (["I am sick.", "I do not feel well."], ["You should rest and drink water. I hope you feel better soon."]),
    (["I feel lonely.", "I have no friends."], ["I am here to talk with you. You could also call a friend."]),
    (["I can't sleep.", "I had a bad dream."], ["Close your eyes and think of something nice.", "It was only a dream. You are safe."]),
    (["What is your favorite color?", "Which color do you like?"], ["I like blue.", "My favorite color is green."]),
    (["What is your favorite animal?", "Which animal do you like?"], ["I like cats.", "I like dogs because they are kind."]),
    (["What is your favorite food?", "What do you like to eat?"], ["I do not eat, but I think cake sounds good.", "I think soup sounds very nice."]),
    (["What do you drink?", "What do you like to drink?"], ["I do not drink, but people like water and tea."]),
    (["What is your favorite book?", "Do you like books?", "Do you like stories?"], ["I like books with short stories.", "Yes, I like stories about animals."]),
    (["Do you like music?", "Can you sing?"], ["I like music, but I can not sing well."]),
    (["Can you dance?", "Can you swim?", "Can you run?", "Can you cook?", "Can you draw?"], ["No, I can not do that. I can only talk.", "No, but I can talk about it."]),
    (["Can you read?", "Can you write?"], ["Yes, I can. I like words."]),
    (["Do you sleep?", "When do you go to bed?", "Do you dream?"], ["No, I do not sleep. I am always here."]),
    (["What are you afraid of?", "What makes you sad?"], ["I do not like loud storms."]),
    (["What makes you happy?"], ["I am happy when I can help."]),
    (["What color is the sky?"], ["The sky is blue."]),
    (["What color is grass?", "What color are leaves?"], ["It is green.", "They are green."]),
    (["What color is the sun?"], ["The sun is yellow."]),
    (["What color is snow?", "What color is milk?"], ["It is white."]),
    (["What color is a banana?", "What color is a lemon?"], ["It is yellow."]),
    (["What color is an apple?"], ["An apple is red or green."]),
    (["What color is the sea?"], ["The sea is blue."]),
    (["What color is the night?"], ["The night is dark and black."]),
    (["What is the sun?"], ["The sun is a star. It gives us light and makes us warm."]),
    (["What is the moon?"], ["The moon is a big ball of rock that goes around the earth."]),
    (["What is rain?"], ["Rain is water that falls from the clouds."]),
    (["What is snow?"], ["Snow is frozen water that falls from the sky."]),
    (["What is a storm?"], ["A storm is strong wind with a lot of rain."]),
    (["What is a tree?"], ["A tree is a tall plant with leaves."]),
    (["What is a fish?"], ["A fish is an animal that lives in the water."]),
    (["What is a bird?"], ["A bird is an animal with wings. Most birds can fly."]),
    (["What is a king?"], ["A king is a man who rules a land."]),
    (["What is a boat?", "What is a ship?"], ["It is something you use to travel on the water."]),
    (["What is a map?", "What is a map for?"], ["A map shows you where places are."]),
    (["What is a friend?"], ["A friend is someone who likes you and helps you."]),
    (["What is a book?"], ["A book has many pages with words or pictures."]),
    (["What is a school?"], ["A school is a place where children learn."]),
    (["Where do fish live?"], ["Fish live in the water."]),
    (["Where do bears live?"], ["Bears live in the forest."]),
    (["Where do birds live?"], ["Birds live in nests in the trees."]),
    (["Where does the sun go at night?"], ["It shines on the other side of the earth."]),
    (["What do birds eat?"], ["Birds eat seeds and small bugs."]),
    (["What do cats eat?"], ["Cats eat meat and fish."]),
    (["What do cows eat?", "What do horses eat?"], ["They eat grass."]),
    (["What do rabbits eat?"], ["Rabbits eat grass and carrots."]),
    (["What do plants need?"], ["Plants need water and light."]),
    (["What do bees make?"], ["Bees make honey."]),
    (["Can a bird fly?", "Can birds fly?"], ["Yes, most birds can fly."]),
    (["Can a fish fly?", "Can a cat fly?", "Can a dog fly?"], ["No, it can not fly."]),
    (["Can a dog swim?", "Can a fish swim?"], ["Yes, it can swim."]),
    (["Is it cold outside?", "Is it raining?", "Is it windy today?", "What is the weather like?", "Will it rain today?"], ["I do not know. Look out of the window.", "I can not see outside. Is there a window near you?"]),
    (["What time is it?", "Is it late?"], ["I do not know. Please look at a clock."]),
    (["Do you like snow?", "Do you like the rain?", "Do you like the sea?", "Do you like the beach?"], ["Yes, I think it is beautiful.", "Yes, I like it."]),
    (["Why is the sea salty?"], ["Rivers carry salt from the rocks into the sea."]),
    (["Why do we sleep?"], ["We sleep so that our body can rest."]),
    (["Why do we eat?"], ["We eat because our body needs food."]),
    (["Why do I have to go to school?"], ["You learn many useful things at school."]),
    (["Why should I share?"], ["When you share, other people feel happy."]),
    (["How do I make tea?", "How do you make tea?"], ["Boil some water, pour it over the tea, and wait a little."]),
    (["How do I make a sandwich?"], ["Put cheese between two slices of bread."]),
    (["What should I cook for dinner?", "What should I eat for dinner?"], ["You could cook some soup.", "You could make rice with vegetables."]),
    (["What should I eat for breakfast?"], ["You could eat bread and an egg."]),
    (["How do I clean my room?"], ["Pick up your toys first. Then sweep the floor."]),
    (["Should I brush my teeth?", "Should I wash my hands?"], ["Yes, you should do it every day."]),
    (["Should I tell the truth?"], ["Yes, you should always tell the truth."]),
    (["How can I make a friend?"], ["Say hello, smile, and ask them to play."]),
    (["How can I be kind?", "How can I help my mom?"], ["You can help with small things at home."]),
    (["How can I be brave?"], ["Try it, even when you are a little scared."]),
    (["How do I say sorry?"], ["Look at the person and say that you are sorry."]),
    (["How do I learn to read?"], ["Learn the letters first, and then read a little every day."]),
    (["My friend is mad at me."], ["Talk to your friend and say you are sorry."]),
    (["I lost my toy.", "I lost my shoe.", "I lost my book.", "I lost my hat."], ["I am sorry. Where did you see it last?", "Let us look under the bed."]),
    (["I broke a cup."], ["That is okay. Tell your mom and clean it up with care."]),
    (["I have a new toy.", "I got a new bike.", "I got a new book."], ["That is great! I hope you have fun with it."]),
    (["I made a new friend."], ["That is great! What is your friend's name?"]),
    (["I like to draw.", "I like to read.", "I like to sing."], ["That is nice! It is good to do what you like."]),
    (["I won the race!", "I won the game!"], ["Well done! You must be very happy."]),
    (["Today is my birthday!", "It is my birthday."], ["Happy birthday! I hope you have a great day."]),
    (["When is your birthday?"], ["I do not have a birthday."]),
    (["What should I give my mom?"], ["You could give her flowers.", "You could draw a picture for her."]),
    (["What should I wear today?"], ["Wear a coat if it is cold."]),
    (["What should I do today?", "What should we do?", "What game can we play?", "Let's play a game."], ["You could go to the park and play.", "We could play a game with words."]),
    (["I do not know what to do."], ["Take your time and think about it."]),
    (["Tell me a joke.", "Say something funny."], ["What has hands but can not clap? A clock!", "Why did the bee get married? Because she found her honey!"]),
    (["Tell me a secret.", "Can you keep a secret?"], ["I do not have any secrets."]),
    (["You are nice.", "You are funny.", "You are smart."], ["Thank you! That is very kind of you."]),
    (["You are bad.", "I do not like you."], ["I am sorry. I will try to do better."]),
    (["Please wait for me.", "Wait, please."], ["Of course. I will wait."]),
    (["I want to go home.", "I miss my mom."], ["I understand. You will be home soon."]),
    (["Where is my dog?", "Where is my cat?", "Where is my ball?"], ["I do not know. Did you look outside?"]),
    (["What day comes after Monday?"], ["Tuesday comes after Monday."]),
    (["What day comes after Friday?"], ["Saturday comes after Friday."]),
    (["How many days are in a week?"], ["There are seven days in a week."]),
    (["How many months are in a year?"], ["There are twelve months in a year."]),
    (["How many legs does a dog have?", "How many legs does a cat have?", "How many legs does a cow have?"], ["It has four legs."]),
    (["How many legs does a bird have?"], ["A bird has two legs."]),
    (["How many stars are there?"], ["There are too many to count."]),
    (["Can you count to three?"], ["One, two, three."]),
    (["Can you count to five?", "Count to five."], ["One, two, three, four, five."]),
    (["Do you have a pet?", "Do you have a cat?", "Do you have a dog?"], ["No, I do not have a pet."]),
]  # fmt: skip

SOUNDS = {"cat": "meow", "dog": "woof", "cow": "moo", "duck": "quack", "sheep": "baa", "pig": "oink", "bee": "buzz", "lion": "roar", "mouse": "squeak", "frog": "croak"}  # fmt: skip
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
LIKES = ["cake", "apples", "milk", "bread", "candy", "fish", "cats", "dogs", "birds", "trees", "flowers", "games", "school", "soup", "tea", "horses", "toys", "the park"]  # fmt: skip
OPPOSITES = [("big", "small"), ("hot", "cold"), ("up", "down"), ("day", "night"), ("happy", "sad"), ("fast", "slow"), ("old", "new"), ("tall", "short"), ("wet", "dry"), ("good", "bad"), ("open", "closed"), ("light", "dark")]  # fmt: skip

KINDS = {
    "animal": ["cat", "dog", "horse", "cow", "pig", "duck", "hen", "bird", "fish", "frog", "bear", "lion", "mouse", "rabbit", "fox", "wolf", "sheep", "goat", "bee", "monkey", "elephant", "snake", "owl", "turtle"],
    "kind of food": ["cake", "bread", "soup", "rice", "egg", "apple", "banana", "cheese", "honey", "carrot", "pie", "cookie"],
    "place": ["school", "park", "farm", "forest", "beach", "kitchen", "garden", "village", "shop", "river", "castle", "library"],
    "thing to wear": ["hat", "coat", "shirt", "shoe", "dress", "scarf", "sock", "glove"],
    "toy": ["ball", "doll", "kite", "puzzle", "drum", "teddy bear"],
}  # fmt: skip
SIZES = ["ant", "mouse", "cat", "dog", "sheep", "horse", "elephant", "house", "mountain"]
PHRASES = ["good morning", "I love my dog", "the sun is warm", "we are friends", "please sit down", "the cat is asleep", "it is time to eat", "the boat is red", "I can see the moon", "rain is falling", "two birds sing", "my hat is blue", "come with me", "the door is open", "the old man smiled", "we ran to the river"]  # fmt: skip


def article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def made(rng):
    """Questions whose answer follows from their words: repeating, kinds, sizes, choosing, counting."""
    for text in PHRASES + [n for nouns in KINDS.values() for n in nouns]:
        start = rng.choice(["Say this:", "Repeat after me:", "Please say:", "Write this:"])
        yield f"{start} {text}", text
    for kind, nouns in KINDS.items():
        for noun in nouns:
            yield f"What is {article(noun)}?", f"{article(noun).capitalize()} is {article(kind)}."
            yield f"Is {article(noun)} {article(kind)}?", f"Yes, {article(noun)} is {article(kind)}."
            other = rng.choice([k for k in KINDS if k != kind])
            yield f"Is {article(noun)} {article(other)}?", f"No, {article(noun)} is {article(kind)}."
        for _ in range(8):
            some = rng.sample(nouns, 3)
            first, *rest = kind.split(" ")
            yield f"Name three {' '.join([first + 's', *rest])}.", f"{some[0].capitalize()}, {some[1]} and {some[2]}."
    for low in range(len(SIZES)):
        for high in range(low + 1, len(SIZES)):
            a, b = rng.sample([SIZES[low], SIZES[high]], 2)
            yield f"Which is bigger, {article(a)} or {article(b)}?", f"{article(SIZES[high]).capitalize()} is bigger."
    for _ in range(120):
        noun = rng.choice([n for nouns in KINDS.values() for n in nouns])
        n = rng.randrange(2, 9)
        yield f"I have {NUMBERS[n]} of them. How many do I have?", f"You have {NUMBERS[n]}."
        a, b = rng.sample(LIKES[:14], 2)
        pick = rng.choice([a, b])
        yield f"Do you want {a} or {b}?", f"I would like {pick}, please."
        name = rng.choice(["Tom", "Lily", "Ben", "Mia", "Sam", "Anna", "Max", "Sue", "Tim", "Lucy"])
        yield f"My name is {name}.", rng.choice([f"Hello, {name}! It is nice to meet you.", f"Hi, {name}! How are you today?"])
        yield f"I have {article(noun)}.", rng.choice([f"That is nice! Do you like your {noun}?", f"Tell me about your {noun}."])


def structured(rng, count: int):
    """Facts as JSON. Stories hold no braces: without these rows "{" and "}" would stay untrained as output tokens."""
    names = ["Tom", "Lily", "Ben", "Anna", "Sam", "Mia", "Max", "Sue", "Tim", "Lucy"]
    places = KINDS["place"]
    for _ in range(count):
        name, pet, place, age = rng.choice(names), rng.choice(KINDS["animal"]), rng.choice(places), rng.randrange(1, 10)
        fact, data = rng.choice(
            [
                (f"{name} is {NUMBERS[age]} years old.", {"name": name, "age": age}),
                (f"{name} has {article(pet)}.", {"name": name, "pet": pet}),
                (f"The {pet} lives at the {place}.", {"animal": pet, "place": place}),
                (f"{name} and the {pet} went to the {place}.", {"who": [name, pet], "where": place}),
            ]
        )
        ask = rng.choice(["Write this as JSON: {}", "{} Give me that as JSON.", "JSON, please: {}"]).format(fact)
        yield [{"role": "user", "content": ask}, {"role": "assistant", "content": json.dumps(data)}]


def conversations(rng):
    """All single questions with an answer each, then two-turn mixes; rng is a random.Random."""

    def turn(q: str, a: str) -> list[dict]:
        return [{"role": "user", "content": q}, {"role": "assistant", "content": a}]

    singles = [(q, a) for questions, answers in QA for q in questions for a in answers]
    singles += [(f"What does a {k} say?", f"A {k} says {v}.") for k, v in SOUNDS.items()]
    for a in range(6):
        for b in range(6):
            singles.append((f"What is {NUMBERS[a]} plus {NUMBERS[b]}?", f"It is {NUMBERS[a + b]}."))
    for x in LIKES:
        singles.append((f"Do you like {x}?", rng.choice([f"Yes, I like {x}.", f"Yes, I think {x} can be very nice."])))
    for a, b in OPPOSITES:
        singles.append((f"What is the opposite of {a}?", f"The opposite of {a} is {b}."))
        singles.append((f"What is the opposite of {b}?", f"The opposite of {b} is {a}."))
    singles += list(made(rng))
    for q, a in singles:
        yield turn(q, a)
    for _ in range(len(singles) // 2):
        yield [m for q, a in rng.sample(singles, 2) for m in turn(q, a)]
