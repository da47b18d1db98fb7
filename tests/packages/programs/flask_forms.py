# needs: python3-flaskext.wtf python3-wtforms python3-flask-sqlalchemy
# packages: flask_wtf wtforms flask_sqlalchemy flask
"""Forms and tables of a Flask application: Flask-WTF, WTForms with own fields,
widgets and validators, and Flask-SQLAlchemy.
"""
import io
import re

import flask
import flask_sqlalchemy
import flask_wtf.csrf
import wtforms
import wtforms.fields.core
import wtforms.validators as v
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.model import Model
from flask_sqlalchemy.pagination import Pagination
from flask_sqlalchemy.query import Query
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.file import FileAllowed, FileField, FileRequired
from werkzeug.datastructures import MultiDict
from wtforms import Form, StringField, widgets
from wtforms.csrf.session import SessionCSRF
from wtforms.fields import DateField, DecimalField, FieldList, FormField
from wtforms.fields import SelectField, SelectMultipleField
from wtforms.i18n import DefaultTranslations
from wtforms.meta import DefaultMeta
from wtforms.utils import unset_value


class Loud(Model):
    def __repr__(self):
        return f"<{type(self).__name__.upper()} {self.id}>"


db = SQLAlchemy(model_class=Loud)
csrf = CSRFProtect()


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(9), unique=True)
    pets = db.relationship("PetShopAnimal", backref="owner", lazy="dynamic")


class PetShopAnimal(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    owner_id = db.Column(db.ForeignKey("user.id"))


class Tags(StringField):
    widget = widgets.TextArea()

    def _value(self):
        return ",".join(self.data or [])

    def process_formdata(self, values):
        self.data = values[0].split(",") if values else []


class Address(Form):
    street = StringField("Street", [v.Length(max=5)])
    number = wtforms.IntegerField("No", [v.NumberRange(1, 9), v.Optional()])


class Profile(Form):
    name = StringField("Name", [v.InputRequired(), v.Regexp("^[a-z]+$")])
    mail = StringField("Mail", [v.DataRequired()], filters=[str.strip])
    site = StringField("Site", [v.URL(), v.Optional()])
    born = DateField("Born", [v.Optional()], format="%d.%m.%Y")
    size = DecimalField("Size", places=1, default=1)
    kind = SelectField("Kind", choices={"g": [("a", "A")], "h": [("b", "B")]})
    many = SelectMultipleField("Many", choices=[("x", "X"), ("y", "Y")],
                               widget=widgets.ListWidget(prefix_label=False),
                               option_widget=widgets.CheckboxInput())
    tags = Tags("Tags", description="<d>")
    home = FormField(Address)
    phones = FieldList(StringField("Phone"), min_entries=2, max_entries=3)
    again = StringField("Again", [v.EqualTo("name", "not the same")])

    def validate_mail(self, field):
        if "@" not in field.data:
            raise v.StopValidation("no mail")


class Upload(FlaskForm):
    file = FileField("File", [FileRequired(), FileAllowed(["txt"], "text!")])
    go = wtforms.SubmitField("Go")


def forms():
    good = MultiDict([
        ("name", "ann"), ("mail", " a@b "), ("born", "02.01.2020"),
        ("size", "2.5"), ("kind", "b"), ("many", "y"), ("tags", "p,q"),
        ("home-street", "High"), ("home-number", "3"), ("phones-0", "1"),
        ("phones-1", "2"), ("again", "ann")])
    form = Profile(good)
    print(form.validate(), form.data)
    bad = Profile(MultiDict([("name", "A1"), ("mail", "x"), ("size", "z"),
                             ("site", "ftp"), ("home-number", "77"),
                             ("kind", "no"), ("again", "b")]))
    print(bad.validate(), bad.errors)
    print(bad.kind(class_="c"), bad.many(), bad.tags(), bad.tags.label,
          form.born(), form.home.street.name, form.phones.pop_entry().data)
    print(Form(meta={"locales": ["de"]}).meta.get_translations(None) is not None,
          DefaultTranslations(None).__class__.__name__, unset_value,
          issubclass(Profile.Meta, DefaultMeta), SessionCSRF.TIME_FORMAT)


def main():
    forms()
    app = Flask("forms")
    app.config.update(SECRET_KEY="k", SQLALCHEMY_DATABASE_URI="sqlite://",
                      SQLALCHEMY_RECORD_QUERIES=True)
    csrf.init_app(app)
    db.init_app(app)

    @app.route("/up", methods=["GET", "POST"])
    def up():
        form = Upload()
        if form.validate_on_submit():
            return form.file.data.filename
        return {"errors": form.errors, "token": form.csrf_token.current_token}

    client = app.test_client()
    print(client.post("/up").status_code)
    token = client.get("/up").json["token"]
    for name in ("a.txt", "a.exe"):
        answer = client.post("/up", data={
            "csrf_token": token, "file": (io.BytesIO(b"x"), name)})
        print(re.sub(r'"token":.*', "", answer.text).strip())
    with app.test_request_context():
        print(bool(flask_wtf.csrf.generate_csrf()))
        try:
            flask_wtf.csrf.validate_csrf("nonsense")
        except v.ValidationError as error:
            print(error)
    with app.app_context():
        db.create_all()
        for n in range(5):
            db.session.add(User(name=f"u{n}", pets=[PetShopAnimal()] * 1))
        db.session.commit()
        page = db.paginate(db.select(User).order_by(User.id), page=2, per_page=2)
        print(page.items, page.pages, isinstance(page, Pagination),
              list(page.iter_pages()), PetShopAnimal.__tablename__)
        print(db.get_or_404(User, 1).pets.count(), isinstance(
            User.query, Query), User.query.filter_by(name="u3").first_or_404())
        try:
            db.first_or_404(db.select(User).filter_by(name="q"))
        except flask.app.HTTPException as error:
            print(type(error).__name__)
        queries = flask_sqlalchemy.record_queries.get_recorded_queries()
        print(len(queries) > 5, db.engine.name, repr(db))


if __name__ == "__main__":
    main()
